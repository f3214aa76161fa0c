"""Files in models of a site: their links follow them, and nothing else changes."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as site
from django.core import serializers
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

import directlinks
from directlinks import registry
from directlinks.datetimes import as_stored
from directlinks.models import DirectLink, File
from directlinks.registry import Registration
from directlinks.services import registering
from directlinks.services.diagnostics import Kind, examine
from directlinks.services.registering import link_for, links_for, sync, unregister
from tests.factories import DirectLinkFactory, UserFactory
from tests.hosts.models import Customer, Invoice, PaidInvoice, Reminder

pytestmark = pytest.mark.django_db

LABEL = "hosts.invoice.pdf"


@pytest.fixture
def register() -> Iterator[Callable[..., None]]:
    """Register a field until the test is over."""
    fields: list[tuple[Any, str]] = []

    def register(model: Any, field: str, **options: Any) -> None:
        directlinks.register(model, field, **options)
        fields.append((model, field))

    yield register
    for model, field in fields:
        unregister(model, field)


@pytest.fixture
def registration(register: Callable[..., None]) -> Registration:
    """The field ``pdf``, whose files belong to the customer's user."""
    register(Invoice, "pdf", owner="customer.user")
    return registered()


@pytest.fixture
def owner() -> Any:
    return UserFactory(username="ada")


def content(text: str, name: str = "bill.txt") -> Any:
    return ContentFile(text.encode(), name=name)


def make_invoice(owner: Any = None, **fields: Any) -> Invoice:
    customer = None if owner is None else Customer.objects.create(user=owner)
    invoice: Invoice = Invoice.objects.create(
        **{"customer": customer, "pdf": content("the first bytes"), **fields}
    )
    return invoice


@pytest.fixture
def invoice(registration: Registration, owner: Any) -> Invoice:
    return make_invoice(owner)


def seen(link: DirectLink) -> str | int:
    """What a visitor gets: the text, or the status of an error."""
    client = Client()
    answer: Any = client.get(link.get_absolute_url())
    if answer.status_code == 302:
        answer = client.get(answer["Location"])
    if answer.status_code != 200:
        return int(answer.status_code)
    return b"".join(answer.streaming_content).decode()


def checksums() -> dict[str, str]:
    """All files of the site with a digest of each."""
    root = Path(site.MEDIA_ROOT)
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def statements(queries: CaptureQueriesContext) -> list[str]:
    """What was asked of the database, without the savepoints of our changes."""
    control = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT")
    return [one["sql"] for one in queries if not one["sql"].startswith(control)]


def mirror_of(invoice: Invoice) -> File:
    return File.objects.get(storage_alias=LABEL, source_key=str(invoice.pk))


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
        assert direct_link_without_request(invoice) == link.get_absolute_url()


def direct_link_without_request(invoice: Invoice) -> str:
    text = "{% load directlinks %}{% direct_link invoice.pdf %}"
    return Template(text).render(Context({"invoice": invoice}))


def replace_under_a_new_name(invoice: Invoice) -> None:
    invoice.pdf = content("the second bytes", "new.txt")
    invoice.save()


def replace_by_saving_the_file(invoice: Invoice) -> None:
    invoice.pdf.save("new.txt", content("the second bytes"))


def replace_under_the_same_name(invoice: Invoice) -> None:
    name = str(invoice.pdf)
    invoice.pdf.storage.delete(name)
    invoice.pdf.save(Path(name).name, content("the second bytes"))
    assert str(invoice.pdf) == name


def replace_in_an_update_of_one_field(invoice: Invoice) -> None:
    invoice.pdf = content("the second bytes", "new.txt")
    invoice.save(update_fields=["pdf"])


def replace_by_a_deferred_object(invoice: Invoice) -> None:
    deferred = Invoice.objects.defer("pdf").get(pk=invoice.pk)
    deferred.pdf = content("the second bytes")
    deferred.save()


def replace_by_a_proxy(invoice: Invoice) -> None:
    proxy = PaidInvoice.objects.get(pk=invoice.pk)
    proxy.pdf = content("the second bytes")
    proxy.save()


def replace_by_an_object_that_was_never_read(invoice: Invoice) -> None:
    name = invoice.pdf.storage.save("elsewhere.txt", content("the second bytes"))
    Invoice(pk=invoice.pk, customer=invoice.customer, pdf=name).save(force_update=True)


def update_behind_us_and_sync(invoice: Invoice) -> None:
    name = invoice.pdf.storage.save("elsewhere.txt", content("the second bytes"))
    Invoice.objects.filter(pk=invoice.pk).update(pdf=name)
    assert [one.updated for one in sync(registered())] == [1]


def rewrite_behind_us_and_sync(invoice: Invoice) -> None:
    Path(invoice.pdf.path).write_text("the second bytes")
    assert [one.updated for one in sync(registered())] == [1]


def replace_again_after_a_rollback(invoice: Invoice) -> None:
    with transaction.atomic():
        replace_under_a_new_name(invoice)
        transaction.set_rollback(True)
    invoice.save()


def replace_in_two_saves(invoice: Invoice) -> None:
    name = invoice.pdf.storage.save("elsewhere.txt", content("the second bytes"))
    invoice.pdf = name
    invoice.save(update_fields=["number"])
    invoice.save()


def clear(invoice: Invoice) -> None:
    invoice.pdf.delete()


def clear_and_fill_again(invoice: Invoice) -> None:
    invoice.pdf.delete()
    invoice.pdf.save("new.txt", content("the second bytes"))


def delete(invoice: Invoice) -> None:
    invoice.delete()


def delete_and_bring_back(invoice: Invoice) -> None:
    key = invoice.pk
    invoice.delete()
    Invoice.objects.create(pk=key, pdf=content("the second bytes"))


def delete_all_at_once(invoice: Invoice) -> None:
    Invoice.objects.all().delete()


def delete_by_a_proxy(invoice: Invoice) -> None:
    PaidInvoice.objects.get(pk=invoice.pk).delete()


def delete_behind_us_and_sync(invoice: Invoice) -> None:
    Invoice.objects.filter(pk=invoice.pk)._raw_delete("default")
    assert [one.withdrawn for one in sync(registered())] == [1]


def roll_back_a_replacement(invoice: Invoice) -> None:
    with transaction.atomic():
        replace_under_a_new_name(invoice)
        transaction.set_rollback(True)


def roll_back_a_deletion(invoice: Invoice) -> None:
    with transaction.atomic():
        Invoice.objects.all().delete()
        transaction.set_rollback(True)


def change_something_else(invoice: Invoice) -> None:
    invoice.number = "2026-1"
    invoice.save()
    invoice.save(update_fields=["is_paid"])


def registered() -> Registration:
    found = registry.registered(LABEL)
    assert found is not None
    return found


FIRST, SECOND = "the first bytes", "the second bytes"
SCENARIOS: dict[Callable[[Invoice], None], str | int] = {
    replace_under_a_new_name: SECOND,
    replace_by_saving_the_file: SECOND,
    replace_under_the_same_name: SECOND,
    replace_in_an_update_of_one_field: SECOND,
    replace_by_a_deferred_object: SECOND,
    replace_by_a_proxy: SECOND,
    replace_by_an_object_that_was_never_read: SECOND,
    replace_again_after_a_rollback: SECOND,
    replace_in_two_saves: SECOND,
    update_behind_us_and_sync: SECOND,
    rewrite_behind_us_and_sync: SECOND,
    clear: 404,
    clear_and_fill_again: SECOND,
    delete: 404,
    delete_and_bring_back: SECOND,
    delete_all_at_once: 404,
    delete_by_a_proxy: 404,
    delete_behind_us_and_sync: 404,
    roll_back_a_replacement: FIRST,
    roll_back_a_deletion: FIRST,
    change_something_else: FIRST,
}


class TestFollowing:
    @pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.__name__)
    def test_a_link_leads_to_what_its_object_has(
        self, invoice: Invoice, scenario: Callable[[Invoice], None]
    ) -> None:
        link = link_for(invoice.pdf)
        version = link.file.version
        scenario(Invoice.objects.get())
        assert seen(link) == SCENARIOS[scenario]
        file = File.objects.get()
        assert (file.version != version) is (SCENARIOS[scenario] == SECOND)
        if SCENARIOS[scenario] == SECOND:
            assert file.size == len(SECOND)
            assert link_for(Invoice.objects.get().pdf) == link

    def test_an_inherited_object_is_followed_by_its_own_key(
        self, registration: Registration, owner: Any
    ) -> None:
        reminder = Reminder.objects.create(pdf=content(FIRST), level=2)
        link = link_for(reminder.pdf)
        assert link_for(Invoice.objects.get().pdf) == link
        reminder.pdf.save("new.txt", content(SECOND))
        assert seen(link) == SECOND
        reminder.delete(keep_parents=True)
        assert seen(link) == SECOND
        Invoice.objects.get().delete()
        assert seen(link) == 404

    def test_a_field_of_a_child_alone_leaves_its_parents_alone(self, register: Any) -> None:
        register(Reminder, "pdf")
        reminder = Reminder.objects.create(pdf=content(FIRST))
        assert seen(link_for(reminder.pdf)) == FIRST
        with pytest.raises(ValueError, match="not registered"):
            link_for(Invoice.objects.get().pdf)

    def test_an_owner_who_changes_is_followed(self, invoice: Invoice) -> None:
        link = link_for(invoice.pdf)
        other = UserFactory()
        invoice.customer = Customer.objects.create(user=other)
        invoice.save()
        assert File.objects.get().owner == other
        invoice.customer = None
        invoice.save()
        assert File.objects.get().owner is None
        assert seen(link) == FIRST
        customer = Customer.objects.create(user=None)
        Invoice.objects.update(customer=customer)
        Customer.objects.update(user=other)
        list(sync(registered()))
        assert File.objects.get().owner == other

    def test_links_open_when_they_may(self, register: Any, owner: Any) -> None:
        register(Invoice, "pdf", when=lambda invoice: invoice.is_paid)
        invoice = make_invoice(is_paid=False)
        assert not File.objects.exists()
        assert links_for([invoice.pdf]) == [None]
        with pytest.raises(ValueError, match="may have no links now"):
            link_for(invoice.pdf)
        invoice.is_paid = True
        invoice.save()
        link = link_for(invoice.pdf)
        assert seen(link) == FIRST
        invoice.is_paid = False
        invoice.save(update_fields=["is_paid"])
        assert seen(link) == 404
        Invoice.objects.update(is_paid=True)
        list(sync(registered()))
        assert seen(link) == FIRST

    def test_a_path_of_the_site_is_followed(self, register: Any, owner: Any) -> None:
        register(Invoice, "pdf", path=lambda invoice: f"bills/{invoice.number}.txt")
        first = make_invoice(number="1")
        assert link_for(first.pdf).file.path == "bills/1.txt"
        first.number = "2"
        first.save()
        assert mirror_of(first).path == "bills/2.txt"
        second = make_invoice(number="2")
        assert mirror_of(second).path == "bills/2 (2).txt"

    def test_links_are_deleted_with_their_object_if_the_site_says_so(self, register: Any) -> None:
        register(Invoice, "pdf", on_delete=directlinks.DELETE)
        link_for(make_invoice().pdf)
        Invoice.objects.get().delete()
        assert not DirectLink.objects.exists()
        link_for(make_invoice().pdf)
        Invoice.objects.all()._raw_delete("default")
        list(sync(registered()))
        assert not File.objects.exists()

    def test_a_fixture_is_not_followed(self, registration: Registration) -> None:
        text = serializers.serialize("json", [Invoice(pdf="a.txt")])
        for one in serializers.deserialize("json", text):
            one.save()
        assert not File.objects.exists()
        assert [one.made for one in sync(registered())] == [1]


class TestFaults:
    """Whatever goes wrong on our side, the site goes on."""

    def test_a_function_that_fails(
        self, register: Any, caplog: pytest.LogCaptureFixture, owner: Any
    ) -> None:
        register(Invoice, "pdf", owner=lambda invoice: 1 / 0)
        with transaction.atomic():
            invoice = make_invoice(owner)
            assert Invoice.objects.get() == invoice
        assert f"The links of {LABEL} {invoice.pk} may be out of date" in caplog.text
        (synced,) = sync(registered())
        assert synced.faults == [f"{LABEL} {invoice.pk}: division by zero"]

    def test_an_owner_who_is_no_user(self, register: Any, caplog: pytest.LogCaptureFixture) -> None:
        register(Invoice, "pdf", owner="number")
        make_invoice(number="1")
        assert "is no user: '1'" in caplog.text

    def test_a_database_that_refuses(
        self,
        registration: Registration,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def refuse(*args: Any, **kwargs: Any) -> None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT nothing FROM nowhere")

        monkeypatch.setattr(registering, "_update_mirror", refuse)
        with transaction.atomic():
            make_invoice()
            assert Invoice.objects.exists()
        assert "may be out of date" in caplog.text

    def test_a_file_that_is_not_there(
        self, registration: Registration, caplog: pytest.LogCaptureFixture
    ) -> None:
        invoice = Invoice.objects.create(pdf="lost.txt")
        assert "The size of hosts.invoice.pdf" in caplog.text
        assert seen(link_for(invoice.pdf)) == 404

    def test_models_that_are_not_loaded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(apps, "models_ready", False)
        with pytest.raises(ImproperlyConfigured, match=r"in AppConfig.ready\(\)"):
            directlinks.register(Invoice, "pdf")

    def test_another_process_that_makes_the_mirror_first(
        self, invoice: Invoice, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        link = link_for(invoice.pdf)
        monkeypatch.setattr(registering, "_find_mirrors", lambda places: {})
        again = link_for(invoice.pdf)
        assert (again, File.objects.count()) == (link, 1)


class TestStatements:
    @pytest.mark.parametrize("number", [1, 100, 1000])
    def test_links_for_any_number_of_files(self, registration: Registration, number: int) -> None:
        Invoice.objects.bulk_create([Invoice(pdf=f"{one}.txt") for one in range(number)])
        files = [one.pdf for one in Invoice.objects.all()]
        for file in files[:1]:
            file.storage.save(str(file), content(FIRST))
        list(sync(registered()))
        with CaptureQueriesContext(connection) as queries:
            made = links_for(files)
        assert len(statements(queries)) <= 2, statements(queries)
        with CaptureQueriesContext(connection) as queries:
            again = links_for(files)
        assert len(statements(queries)) == 1, statements(queries)
        assert made == again
        assert None not in made

    def test_saving_costs_two_at_most_and_nothing_if_nothing_changed(
        self, invoice: Invoice, django_capture_on_commit_callbacks: Any
    ) -> None:
        def cost(change: Callable[[], Any]) -> int:
            with (
                CaptureQueriesContext(connection) as queries,
                django_capture_on_commit_callbacks(execute=True),
            ):
                change()
            return sum("directlinks_" in one for one in statements(queries))

        invoice = Invoice.objects.select_related("customer__user").get()
        assert cost(invoice.save) == 0
        invoice.number = "1"
        assert cost(invoice.save) == 0
        assert cost(lambda: invoice.pdf.save("a.txt", content(SECOND))) == 2
        assert cost(invoice.save) == 0
        assert cost(make_invoice) == 2
        assert cost(invoice.delete) == 1

    def test_a_list_costs_one(self, registration: Registration) -> None:
        invoices = [make_invoice() for _ in range(5)]
        links_for([one.pdf for one in invoices])
        text = '{% load directlinks %}{% direct_links invoices "pdf" as links %}{{ links|length }}'
        with CaptureQueriesContext(connection) as queries:
            assert Template(text).render(Context({"invoices": invoices})) == "5"
        assert len(statements(queries)) == 1

    def test_syncing_costs_the_same_for_any_number(
        self, registration: Registration, owner: Any
    ) -> None:
        customer = Customer.objects.create(user=owner)
        costs = []
        for number in (2, 20):
            Invoice.objects.all().delete()
            File.objects.all().delete()
            Invoice.objects.bulk_create(
                [Invoice(pdf=f"{one}.txt", customer=customer) for one in range(number)]
            )
            with CaptureQueriesContext(connection) as queries:
                list(sync(registered()))
            costs.append(len(statements(queries)))
        assert costs[0] == costs[1]


class TestSync:
    def test_a_dry_run_changes_nothing(self, invoice: Invoice) -> None:
        Invoice.objects.update(pdf="")
        make_invoice()
        File.objects.filter(source_key=None).delete()
        before = list(File.objects.values())
        Invoice.objects.filter(pk=invoice.pk)._raw_delete("default")
        found = list(sync(registered(), dry_run=True))
        assert sum(one.withdrawn for one in found) == 1
        assert list(File.objects.values()) == before

    def test_paths_that_are_taken_get_a_number(self, register: Any) -> None:
        invoices = [make_invoice() for _ in range(3)]
        register(Invoice, "pdf", path=lambda invoice: "the same.txt")
        assert sum(one.made for one in sync(registered())) == 3
        paths = sorted(File.objects.values_list("path", flat=True))
        assert paths == ["the same (2).txt", "the same (3).txt", "the same.txt"]
        assert [seen(link) for link in links_for([one.pdf for one in invoices]) if link] == (
            [FIRST] * 3
        )

    def test_a_second_run_finds_nothing(self, invoice: Invoice) -> None:
        assert [(one.made, one.updated, one.withdrawn) for one in sync(registered())] == [(0, 0, 0)]

    def test_the_doctor_finds_what_is_out_of_date(self, invoice: Invoice) -> None:
        now = as_stored(DirectLinkFactory().created_at)

        def details() -> list[str]:
            steps = examine(now=now, unused_for=timedelta(days=1), kinds=[Kind.DRIFTED])
            return [finding.detail for step in steps for finding in step.findings]

        link_for(invoice.pdf)
        assert details() == []
        Invoice.objects.update(pdf="another.txt")
        assert details() == [f"{LABEL} {invoice.pk} has another file."]
        Invoice.objects.all()._raw_delete("default")
        assert details() == [f"{LABEL} {invoice.pk} is gone."]
        unregister(Invoice, "pdf")
        assert details() == [f"{LABEL} is not registered."]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.__name__)
def test_no_byte_of_the_site_is_touched(
    register: Any, owner: Any, scenario: Callable[[Invoice], None]
) -> None:
    """What a scenario leaves on the disk is the same without us."""
    left = []
    for is_registered in (False, True):
        if is_registered:
            register(Invoice, "pdf", owner="customer.user")
        elif "sync" in scenario.__name__:
            continue
        for path in Path(site.MEDIA_ROOT).rglob("*"):
            if path.is_file():
                path.unlink()
        invoice = make_invoice(owner)
        if is_registered:
            link_for(invoice.pdf)
        before = checksums()
        scenario(Invoice.objects.get())
        after = checksums()
        left.append((len(before), sorted(after.values())))
        Invoice.objects.all().delete()
    assert len({str(one) for one in left}) == 1
