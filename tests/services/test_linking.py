"""Links to the files of a site's own objects."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Q
from django.template import Context, Template
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from directlinks.models import File
from directlinks.registry import Registration
from directlinks.services import mirrors
from directlinks.services.linking import link_for, links_for
from directlinks.services.syncing import sync
from tests.hosts.invoices import (
    FIRST,
    WHEN_PAID,
    content,
    make_invoice,
    registered,
    seen,
    statements,
)
from tests.hosts.models import Invoice, Receipt

pytestmark = pytest.mark.django_db


class TestLinks:
    def test_a_link_leads_to_the_file_of_an_object(self, invoice: Invoice, owner: Any) -> None:
        link = link_for(invoice.pdf)
        assert seen(link) == "the first bytes"
        assert link_for(invoice.pdf) == link
        file = link.file
        assert (file.owner, file.path) == (owner, f"hosts/invoice/{invoice.pk}/{link.name}")
        assert (file.size, file.content_type) == (15, "text/plain; charset=utf-8")
        assert str(link.name) == str(Path(str(invoice.pdf.name)).name)

    def test_its_address_is_absolute_with_a_request(
        self, invoice: Invoice, settings: Settings
    ) -> None:
        link = link_for(invoice.pdf)
        path = link.get_absolute_url()
        assert link.url(RequestFactory().get("/")) == f"http://testserver{path}"
        assert link.url() == path
        settings.DIRECTLINKS = {"BASE_URL": "https://example.org"}
        assert link.url() == f"https://example.org{path}"

    def test_limits_make_a_link_of_its_own(self, invoice: Invoice, owner: Any) -> None:
        reusable = link_for(invoice.pdf)
        week = timedelta(days=7)
        link = link_for(invoice.pdf, created_by=owner, expires_in=week, max_downloads=3)
        assert link != reusable
        assert (link.created_by, link.max_downloads) == (owner, 3)
        assert link.expires_at is not None
        assert abs(link.expires_at - link.created_at - week) < timedelta(seconds=5)
        with pytest.raises(ValidationError):
            link_for(invoice.pdf, max_downloads=0)
        with pytest.raises(TypeError, match="max_download"):
            link_for(invoice.pdf, max_download=1)

    def test_without_an_owner_the_file_is_the_sites(self, registration: Registration) -> None:
        assert link_for(make_invoice().pdf).file.owner is None

    def test_files_of_several_fields_and_storages_come_in_their_order(
        self, invoice: Invoice, register: Any
    ) -> None:
        register("hosts.Invoice", "scan")
        other = make_invoice(scan=content("scanned"), pdf="")
        links = links_for([other.scan, invoice.pdf, other.pdf, invoice.scan, other.scan])
        assert [None if link is None else seen(link) for link in links] == [
            "scanned",
            "the first bytes",
            None,
            None,
            "scanned",
        ]
        assert links[0] == links[4]

    def test_the_same_name_in_another_storage_is_another_file(
        self, invoice: Invoice, register: Any
    ) -> None:
        register(Invoice, "scan")
        Invoice.objects.filter(pk=invoice.pk).update(scan=str(invoice.pdf))
        invoice.refresh_from_db()
        invoice.scan.storage.save(str(invoice.scan), content("another file"))
        pdf, scan = links_for([invoice.pdf, invoice.scan])
        assert pdf is not None
        assert scan is not None
        assert (seen(pdf), seen(scan)) == ("the first bytes", "another file")

    def test_a_field_that_is_not_registered_says_what_to_write(self) -> None:
        with pytest.raises(ValueError, match=r'directlinks.register\("hosts.Invoice", "pdf"\)'):
            link_for(make_invoice().pdf)

    def test_an_empty_file_says_so(self, registration: Registration) -> None:
        with pytest.raises(ValueError, match="is empty: there is no file"):
            link_for(make_invoice(pdf="").pdf)

    def test_what_is_not_stored_yet_says_so(self, invoice: Invoice) -> None:
        invoice.pdf = content("new")
        for file in (Invoice(pdf="a.txt").pdf, invoice.pdf):
            with pytest.raises(ValueError, match="Save this object first"):
                link_for(file)

    def test_what_is_deleted_says_so(self, invoice: Invoice) -> None:
        invoice.delete()
        with pytest.raises(ValueError, match="Save this object first"):
            link_for(invoice.pdf)

    def test_what_is_gone_says_so(self, invoice: Invoice) -> None:
        link = link_for(invoice.pdf)
        Invoice.objects.get().delete()
        with pytest.raises(ValueError, match="cannot be linked now"):
            link_for(invoice.pdf)
        assert seen(link) == 404

    def test_two_ends_exclude_each_other(self, invoice: Invoice) -> None:
        with pytest.raises(TypeError, match="exclude each other"):
            link_for(invoice.pdf, expires_in=timedelta(days=1), expires_at=None)

    @pytest.mark.parametrize("when", WHEN_PAID, ids=["function", "condition"])
    def test_what_may_not_open_is_found_and_closed(self, when: Any, register: Any) -> None:
        register(Invoice, "pdf", when=when)
        link = link_for(make_invoice().pdf)
        old = Invoice.objects.get()
        Invoice.objects.update(is_paid=False)
        assert links_for([Invoice.objects.get().pdf]) == [None]
        assert seen(link) == 404
        assert links_for([old.pdf]) == [None]
        assert seen(link) == 404

    @pytest.mark.parametrize("path", ["a//b", "/x", "", "x" * 2000, "a/../b"])
    def test_a_path_that_cannot_be_one_is_refused(self, register: Any, path: str) -> None:
        Invoice.objects.bulk_create([Invoice(pdf="a.txt")])
        register(Invoice, "pdf", path=lambda invoice: path if invoice.number else "good.txt")
        Invoice.objects.bulk_create([Invoice(pdf="a.txt", number="1")])
        bad, good = Invoice.objects.order_by("-number")
        with pytest.raises(ValueError, match="cannot be linked now"):
            link_for(bad.pdf)
        refused, link = links_for([bad.pdf, good.pdf])
        assert refused is None
        assert link is not None
        assert [file.path for file in File.objects.all()] == ["good.txt"]

    @pytest.mark.parametrize("when", WHEN_PAID, ids=["function", "condition"])
    def test_an_old_object_makes_no_link(self, when: Any, register: Any) -> None:
        register(Invoice, "pdf", when=when)
        Invoice.objects.bulk_create([Invoice(pdf="a.txt")])
        old = Invoice.objects.get()
        Invoice.objects.update(is_paid=False)
        assert links_for([old.pdf]) == [None]
        assert not File.objects.exists()

    def test_a_key_may_be_that_of_another_object(self, register: Any) -> None:
        register(Receipt, "file")
        receipt = Receipt.objects.create(invoice=make_invoice(), file=content(FIRST, "a.pdf"))
        link = link_for(receipt.file)
        assert (link.file.source_key, link.file.content_type) == (
            str(receipt.invoice.pk),
            "application/pdf",
        )
        assert link_for(Receipt.objects.get().file) == link

    def test_a_text_that_only_a_request_could_read_is_of_any_charset(
        self, registration: Registration, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(mirrors, "beginning", lambda content, size: None)
        assert link_for(make_invoice().pdf).file.content_type == "text/plain"

    def test_a_path_that_is_no_text_is_refused(
        self, register: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        Invoice.objects.bulk_create([Invoice(pdf="a.txt")])
        register(Invoice, "pdf", path=lambda invoice: None)
        assert links_for([Invoice.objects.get().pdf]) == [None]
        assert "is not a string: None" in caplog.text

    def test_a_renamed_file_gets_a_link_of_its_name(self, register: Any) -> None:
        register(Invoice, "pdf", path=lambda invoice: f"{invoice.number}.txt")
        invoice = make_invoice(number="1")
        first = link_for(invoice.pdf)
        invoice.number = "2"
        invoice.save()
        second = link_for(invoice.pdf)
        assert (first.name, second.name) == ("1.txt", "2.txt")
        assert link_for(Invoice.objects.get().pdf) == second
        assert seen(first) == seen(second) == FIRST
        invoice.number = "1"
        invoice.save()
        assert link_for(Invoice.objects.get().pdf) == first

    def test_a_database_that_returns_no_keys(
        self, invoice: Invoice, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        features = type(connection.features)
        monkeypatch.setattr(features, "can_return_rows_from_bulk_insert", False)
        File.objects.all().delete()
        assert seen(link_for(invoice.pdf)) == FIRST

    def test_what_is_no_file_says_so(self) -> None:
        with pytest.raises(TypeError, match=r"the file of an object, such as invoice\.pdf"):
            link_for("a.txt")  # type: ignore[arg-type]  # what is refused

    def test_a_mirror_that_is_missing_is_made(self, owner: Any, register: Any) -> None:
        invoices = [make_invoice(owner) for _ in range(3)]
        register(Invoice, "pdf", owner="customer.user")
        assert [seen(link) for link in links_for([one.pdf for one in invoices]) if link] == [
            "the first bytes"
        ] * 3

    def test_what_passed_by_the_signals_is_found(self, invoice: Invoice) -> None:
        link = link_for(invoice.pdf)
        name = invoice.pdf.storage.save("elsewhere.txt", content("changed behind us"))
        Invoice.objects.filter(pk=invoice.pk).update(pdf=name)
        assert seen(link) == "the first bytes"
        assert link_for(Invoice.objects.get().pdf) == link
        assert seen(link) == "changed behind us"

    def test_template_tags_give_addresses(self, invoice: Invoice, rf: RequestFactory) -> None:
        invoices = [invoice, make_invoice(pdf="")]
        context = Context({"invoice": invoice, "invoices": invoices, "request": rf.get("/")})
        link = link_for(invoice.pdf)
        url = f"http://testserver{link.get_absolute_url()}"
        text = "{% load directlinks %}{% direct_link invoice.pdf %}"
        assert Template(text).render(context) == url
        text = (
            '{% load directlinks %}{% direct_links invoices "pdf" as links %}'
            "{% for invoice, url in links %}[{{ url }}]{% endfor %}"
        )
        assert Template(text).render(context) == f"[{url}][]"
        assert direct_link(invoice.pdf) == link.get_absolute_url()
        invoice.pdf = content("new")
        for file in (invoice.pdf, Invoice(pdf="a.txt").pdf, "", None):
            assert direct_link(file) == ""


def direct_link(file: object) -> str:
    """What the tag gives without a request."""
    text = "{% load directlinks %}{% direct_link file %}"
    return Template(text).render(Context({"file": file}))


class TestCosts:
    @pytest.mark.parametrize("number", [1, 100, 1000])
    @pytest.mark.parametrize(
        ("when", "asked"), [(None, 0), (Q(is_paid=True), 1)], ids=["always", "condition"]
    )
    def test_links_for_any_number_of_files(
        self, register: Any, number: int, when: Any, asked: int
    ) -> None:
        register(Invoice, "pdf", owner="customer.user", when=when)
        Invoice.objects.bulk_create([Invoice(pdf=f"{one}.txt") for one in range(number)])
        files = [one.pdf for one in Invoice.objects.all()]
        for file in files[:1]:
            file.storage.save(str(file), content(FIRST))
        list(sync(registered()))
        with CaptureQueriesContext(connection) as queries:
            made = links_for(files)
        assert len(statements(queries)) <= 2 + asked, statements(queries)
        with CaptureQueriesContext(connection) as queries:
            again = links_for(files)
        assert len(statements(queries)) == 1 + asked, statements(queries)
        assert made == again
        assert None not in made

    def test_a_list_costs_one(self, registration: Registration) -> None:
        invoices = [make_invoice() for _ in range(5)]
        links_for([one.pdf for one in invoices])
        text = '{% load directlinks %}{% direct_links invoices "pdf" as links %}{{ links|length }}'
        with CaptureQueriesContext(connection) as queries:
            assert Template(text).render(Context({"invoices": invoices})) == "5"
        assert len(statements(queries)) == 1
