"""What is registered of a site's models: checks, delivery, the admin and the command."""

from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

import directlinks
from directlinks import registry
from directlinks.checks import check_registrations, check_settings
from directlinks.delivery.backends import get_delivery_backend
from directlinks.delivery.backends.signed_url import SignedURLBackend
from directlinks.delivery.backends.stream import StreamBackend
from directlinks.models import File
from directlinks.registry import Registration
from directlinks.services.adding import Source, add_file
from directlinks.services.following import unregister
from directlinks.services.linking import link_for
from tests.factories import UserFactory
from tests.hosts.invoices import FIRST, content, make_invoice, seen
from tests.hosts.models import (
    ArchiveStorage,
    Attachment,
    Customer,
    Import,
    Invoice,
    Long,
    PaidInvoice,
    Reminder,
    archive,
)

pytestmark = pytest.mark.django_db

STREAM = {"BACKEND": "directlinks.delivery.backends.stream.StreamBackend"}


@pytest.fixture
def register() -> Iterator[Callable[..., Registration]]:
    """Register a field until the test is over."""
    fields: list[Registration] = []

    def register(model: Any, field: str, **options: Any) -> Registration:
        directlinks.register(model, field, **options)
        registration = registry.registration_named(f"{registry.label_of(model)}.{field}")
        assert registration is not None
        fields.append(registration)
        return registration

    yield register
    for one in fields:
        unregister(one.model_label, one.field_name)
        registry.remove(one)


@pytest.fixture
def invoice(register: Any) -> Invoice:
    register(Invoice, "pdf")
    return make_invoice()


class TestChecks:
    @pytest.mark.parametrize(
        ("model", "field", "owner", "expected"),
        [
            (Invoice, "pdf", None, None),
            ("hosts.Invoice", "scan", "customer.user", None),
            (PaidInvoice, "pdf", lambda invoice: None, None),
            (Invoice, "pdf", "pk", None),
            ("hosts.Nothing", "pdf", None, "E044"),
            ("nothing", "pdf", None, "E044"),
            (Attachment, "file", None, "E044"),
            (Invoice, "number", None, "E045"),
            (Invoice, "nothing", None, "E045"),
            (Invoice, "pdf", "nothing", "E047"),
            (Invoice, "pdf", "customer.nothing", "E047"),
            (Invoice, "pdf", "number", "E047"),
            (Invoice, "pdf", "customer", "E047"),
            (Invoice, "pdf", "customer.invoice_set", "E047"),
            (Invoice, "pdf", 7, "E047"),
            (Reminder, "pdf", None, "E045"),
            (Reminder, "nothing", None, "E045"),
            (Import, "file", None, "E048"),
            (Long, "file", None, "E049"),
        ],
    )
    def test_each_fault_has_an_id(
        self, register: Any, model: Any, field: str, owner: Any, expected: str | None
    ) -> None:
        register(model, field, owner=owner)
        found = [message.id for message in check_registrations(None)]
        assert found == ([] if expected is None else [f"directlinks.{expected}"])

    @pytest.mark.parametrize(
        ("when", "fault"),
        [
            (Q(is_paid=True), None),
            (Q(customer__user__isnull=False), None),
            (Exists(Customer.objects.filter(pk=OuterRef("customer"))), None),
            (Q(nothing=1), "nothing"),
            (Q(is_paid="maybe"), "must be"),
            (Q(customer="ada"), "expected a number"),
            (Q(customer__nothing=1), "nothing"),
            (F("number"), "conditional"),
            ("is_paid", "neither a function nor a condition"),
        ],
    )
    def test_a_condition_is_one_of_the_model(
        self, register: Any, when: Any, fault: str | None
    ) -> None:
        register(Invoice, "pdf", when=when)
        messages = check_registrations(None)
        if fault is None:
            assert messages == []
        else:
            (message,) = messages
            assert message.id == "directlinks.E050"
            assert fault in message.msg

    def test_a_field_that_is_registered_twice(self, register: Any) -> None:
        register(Invoice, "pdf")
        register(PaidInvoice, "pdf", owner="customer.user")
        (message,) = check_registrations(None)
        assert message.id == "directlinks.E046"
        registered = registry.registration_named("hosts.invoice.pdf")
        assert registered is not None
        assert registered.owner is None

    def test_an_owner_behind_a_generic_relation(self, register: Any, monkeypatch: Any) -> None:
        monkeypatch.setattr(Customer._meta.get_field("user"), "related_model", None)
        register(Invoice, "pdf", owner="customer.user")
        (message,) = check_registrations(None)
        assert message.id == "directlinks.E047"

    def test_a_key_that_is_that_of_another_object(self, register: Any, monkeypatch: Any) -> None:
        monkeypatch.setattr(Import._meta, "managed", True)
        key = models.OneToOneField(Long, models.CASCADE, primary_key=True)
        monkeypatch.setattr(Import._meta, "pk", key)
        register(Import, "file")
        (message,) = check_registrations(None)
        assert message.id == "directlinks.E049"

    def test_a_key_of_several_columns(self, register: Any, monkeypatch: Any) -> None:
        key = models.CompositePrimaryKey("number", "is_paid")
        monkeypatch.setattr(Invoice._meta, "pk", key)
        register(Invoice, "pdf")
        (message,) = check_registrations(None)
        assert message.id == "directlinks.E049"

    def test_delivery_may_name_a_registered_field(self, register: Any, settings: Settings) -> None:
        settings.DIRECTLINKS = {"DELIVERY": {"hosts.invoice.scan": STREAM}}
        assert [message.id for message in check_settings(None)] == ["directlinks.W011"]
        register(Invoice, "scan")
        assert check_settings(None) == []


class TestDelivery:
    """A field is delivered as its storage in STORAGES, unless the site names the field itself."""

    @pytest.mark.parametrize(
        ("delivery", "pdf", "scan"),
        [
            (None, SignedURLBackend, SignedURLBackend),
            ({"default": STREAM}, StreamBackend, SignedURLBackend),
            ({"hosts.invoice.scan": STREAM}, SignedURLBackend, StreamBackend),
        ],
    )
    def test_which_backend(
        self, register: Any, settings: Settings, delivery: Any, pdf: type, scan: type
    ) -> None:
        settings.DIRECTLINKS = {"DELIVERY": delivery}
        for field, expected in (("pdf", pdf), ("scan", scan)):
            registration = register(Invoice, field)
            backend = get_delivery_backend(registration.storage, registration.label)
            assert type(backend) is expected

    def test_a_field_whose_storage_is_named(self, register: Any) -> None:
        registration = register(Invoice, "pdf", storage=ArchiveStorage)
        assert registration.storage is registration.storage
        invoice = Invoice.objects.create(number="1")
        name = archive().save("named.txt", content(FIRST))
        Invoice.objects.filter(number="1").update(pdf=name)
        invoice.refresh_from_db()
        link = link_for(invoice.pdf)
        assert isinstance(link.file.content.storage, ArchiveStorage)
        assert seen(link) == FIRST


class TestAdmin:
    @pytest.fixture
    def staff(self) -> Client:
        client = Client()
        client.force_login(UserFactory(is_staff=True, is_superuser=True))
        return client

    def test_the_page_of_a_file_says_whose_it_is_and_changes_nothing(
        self, staff: Client, invoice: Invoice
    ) -> None:
        file = link_for(invoice.pdf).file
        page = reverse("admin:directlinks_file_change", args=[file.pk])
        text = staff.get(page).content.decode()
        assert f"hosts.invoice.pdf {invoice.pk}" in text
        assert 'name="content"' not in text
        assert 'name="_save"' not in text
        assert staff.post(page, {"path": "elsewhere"}).status_code == 403
        delete = reverse("admin:directlinks_file_delete", args=[file.pk])
        assert staff.post(delete, {"post": "yes"}).status_code == 403
        unregister(Invoice, "pdf")
        assert f"hosts.invoice.pdf {invoice.pk}" in staff.get(page).content.decode()

    def test_it_leads_to_the_page_of_the_object(
        self, invoice: Invoice, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = link_for(invoice.pdf).file
        pages = admin.site._registry[File]
        monkeypatch.setattr("directlinks.admin.files.page_address", lambda *args: "/the/object/")
        assert '<a href="/the/object/">' in pages.source(file)  # type: ignore[attr-defined]

    @pytest.mark.parametrize("action", ["trash_files", "restore_files"])
    def test_actions_leave_it_alone(self, staff: Client, invoice: Invoice, action: str) -> None:
        file = link_for(invoice.pdf).file
        if action == "restore_files":
            invoice.pdf.delete()
        before = File.objects.values().get()
        page = reverse("admin:directlinks_file_changelist")
        staff.post(f"{page}?trash=all", {"action": action, "_selected_action": [file.pk]})
        assert File.objects.values().get() == before


def test_no_file_is_put_in_the_place_of_one(invoice: Invoice, tmp_path: Any) -> None:
    (tmp_path / "a.txt").write_text("another")
    path = link_for(invoice.pdf).file.path
    with pytest.raises(ValidationError, match=r"It belongs to hosts\.invoice\.pdf"):
        add_file(
            owner=None, source=Source(str(tmp_path / "a.txt"), path), adopt=False, replace=True
        )


class TestCommand:
    def run(self, *fields: str, **options: Any) -> str:
        out = StringIO()
        call_command("directlinks_sync", *fields, stdout=out, stderr=out, **options)
        return out.getvalue()

    def test_it_counts_what_it_did(self, register: Any) -> None:
        kept, cleared = make_invoice(), make_invoice()
        register(Invoice, "pdf")
        assert "Files: 2 made, 0 updated, 0 withdrawn, 0 unchanged." in self.run(dry_run=True)
        assert not File.objects.exists()
        assert "Files: 2 made, 0 updated, 0 withdrawn, 0 unchanged." in self.run()
        Invoice.objects.filter(pk=cleared.pk).update(pdf="")
        kept.pdf.storage.save("new.txt", content("new"))
        Invoice.objects.filter(pk=kept.pk).update(pdf="new.txt")
        said = self.run("hosts.Invoice.pdf")
        assert "Files: 0 made, 1 updated, 1 withdrawn, 0 unchanged." in said
        Invoice.objects.all().delete()

    def test_a_field_that_is_not_registered(self, invoice: Invoice) -> None:
        with pytest.raises(CommandError, match=r"Registered fields: hosts\.invoice\.pdf\."):
            self.run("hosts.Invoice.scan")

    def test_what_cannot_be_followed_is_named(self, register: Any) -> None:
        invoice = make_invoice()
        register(Invoice, "pdf", owner=lambda invoice: 1 / 0)
        with pytest.raises(CommandError, match="1 could not be brought up to date"):
            self.run()
        assert str(invoice.pk)
