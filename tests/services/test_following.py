"""Links follow the files of their objects, and the site goes on if they cannot."""

import copy
import gc
import pickle
import re
import uuid
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as site
from django.contrib.auth import get_user_model
from django.core import serializers
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection, transaction
from django.db.models import F, Q
from django.db.models.signals import post_delete, post_init, post_save, pre_save
from django.test.utils import CaptureQueriesContext
from django_cleanup import cache, handlers

import directlinks
from directlinks import registry
from directlinks.core import content_types
from directlinks.models import DirectLink, File
from directlinks.registry import Registration
from directlinks.services import mirrors
from directlinks.services.following import follow
from directlinks.services.linking import link_for, links_for
from directlinks.services.mirrors import objects_of
from directlinks.services.syncing import sync
from tests.factories import UserFactory
from tests.hosts.invoices import (
    FIRST,
    LABEL,
    SECOND,
    WHEN_PAID,
    checksums,
    content,
    make_invoice,
    mirror_of,
    registered,
    seen,
    statements,
)
from tests.hosts.models import Customer, Invoice, PaidInvoice, Reminder

pytestmark = pytest.mark.django_db


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


def replace_and_go_back_in_one_transaction(invoice: Invoice) -> None:
    name = str(invoice.pdf)
    with transaction.atomic():
        replace_under_a_new_name(invoice)
        invoice.pdf = name
        invoice.save()


def replace_in_a_receiver_after_ours(invoice: Invoice) -> None:
    def replace(instance: Invoice, **kwargs: Any) -> None:
        instance.pdf = content(SECOND)

    pre_save.connect(replace, sender=Invoice)
    try:
        invoice.save()
    finally:
        pre_save.disconnect(replace, sender=Invoice)


def replace_by_another_object_of_the_same_key(invoice: Invoice) -> None:
    other = make_invoice(pdf=content(SECOND))
    other.pk = invoice.pk
    other.save()


def replace_behind_an_old_object(invoice: Invoice) -> None:
    replace_under_a_new_name(Invoice.objects.get(pk=invoice.pk))
    if registry.registrations():
        links_for([invoice.pdf])


def assign_and_save_another_column(invoice: Invoice) -> None:
    invoice.pdf = "elsewhere.txt"
    invoice.customer = Customer.objects.create()
    invoice.save(update_fields=["customer"])


def clear_and_save_another_column(invoice: Invoice) -> None:
    invoice.pdf = ""
    invoice.customer = Customer.objects.create()
    invoice.save(update_fields=["customer"])


def clear_in_memory(invoice: Invoice) -> None:
    invoice.pdf = None
    invoice.save()


def lead_out_of_the_storage(invoice: Invoice) -> None:
    invoice.pdf = "../../bill.txt"
    invoice.save()


def delete_behind_an_old_object(invoice: Invoice) -> None:
    Invoice.objects.get().delete()
    if registry.registrations():
        links_for([invoice.pdf])


def save_in_another_database(invoice: Invoice) -> None:
    """What Django tells of a row that is saved elsewhere under the same key."""
    invoice.pdf = "elsewhere.txt"
    told = {"created": True, "raw": False, "update_fields": None}
    post_save.send(Invoice, instance=invoice, using="other", **told)
    post_delete.send(Invoice, instance=invoice, using="other")


def delete_the_account_of_the_owner_and_sync(invoice: Invoice) -> None:
    get_user_model().objects.all().delete()
    assert mirror_of(invoice).owner is None
    list(sync(registered()))
    assert mirror_of(invoice).site_path_key is not None


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
    replace_and_go_back_in_one_transaction: FIRST,
    replace_in_a_receiver_after_ours: SECOND,
    replace_by_another_object_of_the_same_key: SECOND,
    replace_behind_an_old_object: SECOND,
    assign_and_save_another_column: FIRST,
    clear_and_save_another_column: FIRST,
    clear_in_memory: 404,
    lead_out_of_the_storage: 404,
    delete_behind_an_old_object: 404,
    save_in_another_database: FIRST,
    delete_the_account_of_the_owner_and_sync: FIRST,
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
        file = mirror_of(invoice)
        if SCENARIOS[scenario] == SECOND:
            assert (file.version != version, file.size) == (True, len(SECOND))
        if SCENARIOS[scenario] != 404:
            now = Invoice.objects.get(pk=invoice.pk)
            assert str(file.content) == str(now.pdf)
            assert link_for(now.pdf) == link

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

    @pytest.mark.parametrize("when", WHEN_PAID, ids=["function", "condition"])
    def test_links_open_when_they_may(self, when: Any, register: Any, owner: Any) -> None:
        register(Invoice, "pdf", when=when)
        invoice = make_invoice(is_paid=False)
        assert not File.objects.exists()
        assert links_for([invoice.pdf]) == [None]
        with pytest.raises(ValueError, match="cannot be linked now"):
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

    def test_a_key_in_another_spelling_is_the_same(self, registration: Registration) -> None:
        key = uuid.uuid4()
        invoice = Invoice.objects.create(pk=key.hex.upper(), pdf=content(FIRST))
        link = link_for(invoice.pdf)
        assert link_for(Invoice.objects.get().pdf) == link
        assert File.objects.count() == 1
        Invoice.objects.get().delete()
        assert seen(link) == 404

    def test_copies_of_an_object_are_followed_by_themselves(self, invoice: Invoice) -> None:
        link = link_for(invoice.pdf)
        copied = copy.copy(Invoice.objects.get())
        columns = {name: value for name, value in vars(invoice).items() if name != "_state"}
        assert Invoice(**columns) == invoice
        unpickled = pickle.loads(pickle.dumps(copied))  # our own
        for one in (unpickled, copied):
            one.pdf = content(SECOND)
            one.save()
            assert seen(link) == SECOND
            Invoice.objects.get().pdf.save("a.txt", content(FIRST))

    @pytest.mark.django_db(transaction=True)
    def test_a_site_may_commit_by_itself(self, registration: Registration) -> None:
        transaction.set_autocommit(False)
        try:
            invoice = make_invoice()
            replace_under_a_new_name(invoice)
            transaction.commit()
        finally:
            transaction.set_autocommit(True)
        assert seen(link_for(Invoice.objects.get().pdf)) == SECOND

    @pytest.mark.django_db(transaction=True)
    def test_tables_in_another_database_follow_after_the_commit(
        self, registration: Registration, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        invoice = make_invoice()
        link = link_for(invoice.pdf)
        elsewhere = "directlinks.services.following._is_elsewhere"
        with monkeypatch.context() as patch:
            patch.setattr(elsewhere, lambda using: True)
            with transaction.atomic():
                replace_under_a_new_name(invoice)
                assert str(mirror_of(invoice).content) != str(invoice.pdf)
            assert seen(link) == SECOND
            patch.setattr(mirrors, "refresh", lambda *args, **kwargs: 1 / 0)
            replace_by_saving_the_file(invoice)
            patch.undo()
            patch.setattr(elsewhere, lambda using: True)
            invoice.save()
            assert str(mirror_of(invoice).content) == str(invoice.pdf)
            invoice.delete()
        assert seen(link) == 404

    @pytest.mark.django_db(transaction=True)
    def test_objects_are_not_kept_until_a_transaction_ends(
        self, registration: Registration
    ) -> None:
        with transaction.atomic():
            made = weakref.ref(make_invoice())
            gc.collect()
            assert made() is None

    @pytest.mark.parametrize("when", WHEN_PAID, ids=["function", "condition"])
    def test_what_decides_is_asked_at_each_save(
        self, when: Any, register: Any, django_capture_on_commit_callbacks: Any
    ) -> None:
        register(Invoice, "pdf", when=when)
        invoice = make_invoice()
        before = File.objects.values().get()
        invoice = Invoice.objects.get()
        with CaptureQueriesContext(connection) as queries:
            invoice.save()
        own = sum("directlinks_" in one for one in statements(queries))
        assert (own, len(statements(queries))) == (1, 2 if callable(when) else 3)
        assert File.objects.values().get() == before


class TestChangesWithoutSignals:
    """``follow`` is for packages that know of changes of their own."""

    def test_all_are_followed_but_what_cannot_be(
        self, register: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        def path(invoice: Invoice) -> str:
            return f"{int(invoice.number)}.txt"

        register(Invoice, "pdf", path=path, when=Q(is_paid=True))
        links = [link_for(make_invoice(number=number).pdf) for number in "123"]
        unlinked = Invoice.objects.bulk_create([Invoice(pdf="a.txt", number="4")])
        Invoice.objects.filter(number="1").update(is_paid=False)
        Invoice.objects.filter(number="2").update(number="x")
        Invoice.objects.filter(number="3").update(number="5")
        follow(registered(), objects_of(registered()))
        assert [seen(link) for link in links] == [404, FIRST, FIRST]
        assert sorted(File.objects.values_list("path", flat=True)) == ["1.txt", "2.txt", "5.txt"]
        messages = [record.getMessage() for record in caplog.records]
        assert sum("may be out of date" in message for message in messages) == 1
        assert not File.objects.filter(source_key=unlinked[0].pk).exists()

    def test_what_has_no_links_is_left_alone(self, registration: Registration) -> None:
        Invoice.objects.bulk_create([Invoice(pdf="a.txt")])
        follow(registration, objects_of(registration))
        assert not File.objects.exists()

    @pytest.mark.parametrize("number", [1, 30])
    def test_it_costs_the_same_for_any_number(self, register: Any, number: int) -> None:
        register(Invoice, "pdf", when=Q(is_paid=True))
        links_for([make_invoice().pdf for _ in range(number)])
        Invoice.objects.update(is_paid=False)
        with CaptureQueriesContext(connection) as queries:
            follow(registered(), objects_of(registered()))
        assert len(statements(queries)) == 6, statements(queries)
        assert not File.objects.live().exists()

    def test_a_condition_is_asked_again_after_the_commit(
        self, register: Any, django_capture_on_commit_callbacks: Any
    ) -> None:
        """Another transaction that changes what it reads may not see what this one links."""
        register(Invoice, "pdf", when=Q(is_paid=True))
        with django_capture_on_commit_callbacks() as callbacks:
            link = link_for(make_invoice().pdf)
            Invoice.objects.update(is_paid=False)
        assert seen(link) == FIRST
        for callback in callbacks:
            callback()
        assert seen(link) == 404

    def test_a_condition_that_cannot_be_asked_closes_links(
        self, register: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        make_invoice()
        register(Invoice, "pdf", when=Q(nothing=1))
        assert links_for([Invoice.objects.get().pdf]) == [None]
        assert "cannot be asked" in caplog.text


class TestFaults:
    """If something goes wrong on our side, the site goes on."""

    def test_a_transaction_that_is_lost_is_told(
        self, registration: Registration, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As by a deadlock on MariaDB, which takes the savepoint along."""

        def fail(*args: Any) -> None:
            raise OperationalError(1305, "SAVEPOINT does not exist")

        def lose(*args: Any, **kwargs: Any) -> None:
            monkeypatch.setattr(connection, "savepoint_rollback", fail)
            raise OperationalError(1213, "Deadlock found")

        monkeypatch.setattr(mirrors, "update", lose)
        with pytest.raises(OperationalError), transaction.atomic():
            make_invoice()
        monkeypatch.undo()
        connection.needs_rollback = False

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

    def test_a_function_that_fails_after_a_save_of_one_column(
        self, register: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        register(Invoice, "pdf", owner=lambda invoice: 1 / (invoice.number != "x") and None)
        invoice = make_invoice()
        invoice.number = "x"
        invoice.save(update_fields=["number"])
        assert "division by zero" in caplog.text

    def test_a_type_that_cannot_be_sent(
        self,
        registration: Registration,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(content_types, "guess", lambda name, added: "no type")
        make_invoice()
        assert "may be out of date" in caplog.text

    @pytest.mark.django_db(transaction=True)
    def test_rows_of_another_database_are_not_locked(self) -> None:
        assert not mirrors._locked(File.objects.all()).query.select_for_update

    def test_an_owner_who_is_no_user(self, register: Any, caplog: pytest.LogCaptureFixture) -> None:
        register(Invoice, "pdf", owner="number")
        make_invoice(number="1")
        assert "is not a user: '1'" in caplog.text

    def test_a_database_that_refuses(
        self,
        registration: Registration,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def refuse(*args: Any, **kwargs: Any) -> None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT nothing FROM nowhere")

        monkeypatch.setattr(mirrors, "update", refuse)
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

    @pytest.mark.parametrize("when", WHEN_PAID, ids=["function", "condition"])
    def test_a_file_that_may_not_be_linked_may_be_elsewhere(
        self, when: Any, register: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        register(Invoice, "pdf", when=when)
        invoice = make_invoice(is_paid=False)
        invoice.pdf = "elsewhere.txt"
        invoice.save()
        assert "The size of" not in caplog.text
        invoice.is_paid = True
        invoice.save()
        assert caplog.text.count("The size of hosts.invoice.pdf") == 1
        assert mirror_of(invoice).size == 0

    def test_a_path_that_many_want(self, register: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(mirrors, "_FIRST_NUMBERS", range(2, 3))
        register(Invoice, "pdf", path=lambda invoice: "the same.txt")
        for _ in range(4):
            make_invoice()
        paths = set(File.objects.values_list("path", flat=True))
        assert {"the same.txt", "the same (2).txt"} < paths
        assert len(paths) == 4
        assert all(re.fullmatch(r"the same( \([0-9]+\))?\.txt", path) for path in paths)

    def test_a_path_that_others_take_each_time(
        self, register: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(mirrors, "_free_path", lambda owner, wanted: wanted)
        register(Invoice, "pdf", path=lambda invoice: "the same.txt")
        for _ in range(2):
            make_invoice()
        assert "Another process takes each path like the same.txt" in caplog.text
        assert File.objects.count() == 1

    def test_a_function_that_fails_does_not_keep_a_link_open(self, register: Any) -> None:
        register(Invoice, "pdf", path=lambda invoice: f"bills/{Path(str(invoice.pdf)).name}")
        invoice = make_invoice()
        link = link_for(invoice.pdf)
        invoice.pdf = ""
        invoice.save()
        assert seen(link) == 404

    def test_a_question_that_fails_is_answered_no(
        self, register: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        register(Invoice, "pdf", when=lambda invoice: not 1 / len(invoice.number))
        invoice = make_invoice(number="a" * 10)
        assert links_for([invoice.pdf]) == [None]
        register(Invoice, "scan", when=lambda invoice: 1 / len(invoice.number) > 0)
        invoice = make_invoice(number="1", scan=content(FIRST))
        link = link_for(invoice.scan)
        invoice.number = ""
        invoice.save()
        assert seen(link) == 404
        assert "`when` of its registration failed" in caplog.text

    def test_what_is_saved_as_an_expression_is_read(self, register: Any) -> None:
        register(Reminder, "level_file", when=lambda reminder: reminder.level < 2)
        reminder = Reminder.objects.create(level_file=content(FIRST))
        link = link_for(reminder.level_file)
        reminder.level = F("level") + 5
        reminder.save()
        assert seen(link) == 404

    @pytest.mark.django_db(transaction=True)
    def test_a_lock_that_is_not_given_is_tried_again(
        self, registration: Registration, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        invoice = make_invoice()
        link = link_for(invoice.pdf)
        update, failures = mirrors.update, iter([OperationalError("database is locked")])

        def fail_once(*args: Any, **kwargs: Any) -> None:
            for failure in failures:
                raise failure
            update(*args, **kwargs)

        monkeypatch.setattr(mirrors, "update", fail_once)
        replace_under_a_new_name(invoice)
        assert seen(link) == SECOND

    def test_models_that_are_not_loaded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(apps, "models_ready", False)
        with pytest.raises(ImproperlyConfigured, match=r"in AppConfig.ready\(\)"):
            directlinks.register(Invoice, "pdf")

    def test_another_process_that_makes_the_mirror_first(
        self, invoice: Invoice, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        link = link_for(invoice.pdf)
        monkeypatch.setattr("directlinks.services.linking._find", lambda places: {})
        again = link_for(invoice.pdf)
        assert (again, File.objects.count()) == (link, 1)


class TestCosts:
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


@pytest.fixture
def _cleanup() -> Iterator[None]:
    """django-cleanup as it is when it is installed: it deletes files that no row has any more."""
    signals: list[Any] = [post_init, pre_save, post_save, post_delete]
    before = [list(signal.receivers) for signal in signals]
    cache.prepare(False)
    handlers.connect()
    yield
    for signal, receivers in zip(signals, before, strict=True):
        signal.receivers = receivers
        signal.sender_receivers_cache.clear()


# It knows no fields that were not read, and no databases that are not there.
BEYOND_CLEANUP = {replace_by_a_deferred_object, save_in_another_database}


@pytest.mark.parametrize(
    ("others", "scenario"),
    [
        *(("alone", one) for one in SCENARIOS),
        *(("django-cleanup", one) for one in SCENARIOS if one not in BEYOND_CLEANUP),
    ],
    ids=lambda one: getattr(one, "__name__", one),
)
def test_no_byte_of_the_site_is_touched(
    register: Any,
    owner: Any,
    scenario: Callable[[Invoice], None],
    others: str,
    request: pytest.FixtureRequest,
    django_capture_on_commit_callbacks: Any,
) -> None:
    """What a scenario leaves on the disk is the same without us."""
    if others != "alone":
        request.getfixturevalue("_cleanup")
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
        with django_capture_on_commit_callbacks(execute=True):
            scenario(Invoice.objects.get())
        left.append((len(before), sorted(checksums().values())))
        Invoice.objects.all().delete()
    assert len({str(one) for one in left}) == 1
