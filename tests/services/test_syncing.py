"""Mirrors are brought up to date with objects that changed without a signal."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from directlinks.datetimes import as_stored
from directlinks.models import File
from directlinks.registry import Registration
from directlinks.services import mirrors, syncing
from directlinks.services.diagnostics import Kind, examine
from directlinks.services.following import unregister
from directlinks.services.linking import link_for, links_for
from directlinks.services.syncing import out_of_date, sync
from tests.factories import DirectLinkFactory, UserFactory
from tests.hosts.invoices import (
    FIRST,
    LABEL,
    SECOND,
    content,
    make_invoice,
    mirror_of,
    registered,
    seen,
    statements,
)
from tests.hosts.models import Customer, Invoice

pytestmark = pytest.mark.django_db


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

    def test_numbers_and_exchanged_paths_come_to_rest(self, register: Any) -> None:
        register(Invoice, "pdf", path=lambda invoice: f"{invoice.number}.txt")
        for number in ("1", "2", "2"):
            make_invoice(number=number)
        one, two, *_ = Invoice.objects.order_by("number")
        Invoice.objects.filter(pk=one.pk).update(number="2")
        Invoice.objects.filter(pk=two.pk).update(number="1")
        list(sync(registered()))
        assert sum(step.updated for step in sync(registered())) == 0

    def test_a_path_that_gets_too_long_is_told_and_the_others_go_on(self, register: Any) -> None:
        for _ in range(2):
            make_invoice()
        register(Invoice, "pdf", path=lambda invoice: "/".join(["a" * 200] * 5) + "/" + "b" * 19)
        (synced,) = sync(registered())
        assert len(synced.faults) == 1
        assert File.objects.count() == 1

    def test_a_cleared_file_is_closed_if_its_path_cannot_be_one(self, register: Any) -> None:
        register(Invoice, "pdf", path=lambda invoice: f"bills/{Path(str(invoice.pdf)).name}")
        link = link_for(make_invoice().pdf)
        Invoice.objects.update(pdf="")
        (synced,) = sync(registered())
        assert (synced.withdrawn, synced.faults) == (1, [])
        assert seen(link) == 404

    @pytest.mark.parametrize("path", ["a//b", "", None])
    def test_a_path_that_cannot_be_one_is_told(self, register: Any, path: Any) -> None:
        make_invoice()
        register(Invoice, "pdf", path=lambda invoice: path)
        (synced,) = sync(registered())
        assert (len(synced.faults), synced.made) == (1, 0)

    def test_a_save_while_it_runs_is_not_undone(
        self, invoice: Invoice, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        link = link_for(invoice.pdf)
        name = invoice.pdf.storage.save("elsewhere.txt", content("in between"))
        Invoice.objects.update(pdf=name)
        refresh = mirrors.refresh

        def save_and_refresh(*args: Any, **kwargs: Any) -> Any:
            Invoice.objects.get().pdf.save("new.txt", content(SECOND))
            return refresh(*args, **kwargs)

        monkeypatch.setattr(mirrors, "refresh", save_and_refresh)
        list(sync(registered()))
        assert seen(link) == SECOND

    def test_a_file_that_vanished_stays_for_the_doctor(self, invoice: Invoice) -> None:
        Path(invoice.pdf.path).unlink()
        assert [one.unchanged for one in sync(registered())] == [1]

    def test_a_remote_file_is_not_asked_for_its_size_again(
        self, invoice: Invoice, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(syncing, "has_local_paths", lambda storage: False)
        Path(invoice.pdf.path).write_text("of another size")
        assert [one.unchanged for one in sync(registered())] == [1]

    @pytest.mark.parametrize(
        ("owner", "expected"),
        [
            (None, False),
            ("customer", {"customer": {}}),
            ("customer.user", {"customer": {"user": {}}}),
            ("customer.user.pk", {"customer": {"user": {}}}),
        ],
    )
    def test_the_way_to_an_owner_is_joined(self, owner: Any, expected: Any) -> None:
        registration = Registration("hosts.invoice", "pdf", owner)
        assert mirrors.objects_of(registration).query.select_related == expected

    def test_a_second_run_finds_nothing(self, invoice: Invoice) -> None:
        assert [(one.made, one.updated, one.withdrawn) for one in sync(registered())] == [(0, 0, 0)]

    def test_the_doctor_finds_what_is_out_of_date(self, invoice: Invoice) -> None:
        now = as_stored(DirectLinkFactory().created_at)

        def details() -> list[str]:
            steps = examine(now=now, unused_for=timedelta(days=1), kinds=[Kind.DRIFTED])
            return [finding.detail for step in steps for finding in step.findings]

        link_for(invoice.pdf)
        assert details() == []
        invoice.customer.user.delete()
        assert details() == [f"{LABEL} {invoice.pk} has another owner."]
        list(sync(registered()))
        assert details() == []
        Invoice.objects.update(customer=Customer.objects.create(user=UserFactory()))
        assert details() == [f"{LABEL} {invoice.pk} has another owner."]
        Invoice.objects.update(pdf="another.txt")
        assert details() == [f"{LABEL} {invoice.pk} has another file."]
        Invoice.objects.update(pdf="")
        assert details() == [f"{LABEL} {invoice.pk} may not be linked now."]
        mirror = mirror_of(invoice)
        mirror.trash()
        Invoice.objects.update(pdf=str(invoice.pdf))
        assert out_of_date([mirror]) == {mirror.pk: f"{LABEL} {invoice.pk} may be linked again."}
        mirror.restore()
        Invoice.objects.all()._raw_delete("default")
        assert details() == [f"{LABEL} {invoice.pk} is gone."]
        unregister(Invoice, "pdf")
        assert details() == [f"{LABEL} is not registered."]


class TestCosts:
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
