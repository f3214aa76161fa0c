"""Addresses of links in a site's own serializers."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from rest_framework import serializers

import directlinks
from directlinks.api import DirectLinkField
from directlinks.services.following import unregister
from directlinks.services.linking import link_for
from tests.hosts.invoices import make_invoice, statements
from tests.hosts.models import Invoice

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    directlinks.register(Invoice, "pdf")
    yield
    unregister(Invoice, "pdf")


class InvoiceSerializer(serializers.ModelSerializer[Any]):
    pdf_link = DirectLinkField(source="pdf")

    class Meta:
        model = Invoice
        fields = ("number", "pdf_link")


def test_one_object_has_the_address_of_its_link(rf: RequestFactory) -> None:
    invoice = make_invoice()
    context = {"request": rf.get("/")}
    link = link_for(invoice.pdf)
    shown = InvoiceSerializer(invoice, context=context).data
    assert shown["pdf_link"] == f"http://testserver{link.get_absolute_url()}"
    assert InvoiceSerializer(invoice).data["pdf_link"] == link.get_absolute_url()


def test_an_empty_file_has_none_nor_has_one_that_is_not_saved() -> None:
    assert InvoiceSerializer(make_invoice(pdf="")).data["pdf_link"] is None
    assert InvoiceSerializer(Invoice(pdf="a.txt")).data["pdf_link"] is None
    shown = InvoiceSerializer([make_invoice(), Invoice(pdf="a.txt")], many=True).data
    assert [one["pdf_link"] is None for one in shown] == [False, True]


@pytest.mark.parametrize("as_list", [True, False])
def test_a_page_of_a_hundred_costs_as_many_statements_as_one(as_list: bool) -> None:
    for _ in range(2):
        Invoice.objects.bulk_create([Invoice(pdf=f"{number}.txt") for number in range(50)])
    directlinks.links_for([one.pdf for one in Invoice.objects.all()])
    invoices: Any = Invoice.objects.all()
    with CaptureQueriesContext(connection) as queries:
        shown = InvoiceSerializer(list(invoices) if as_list else invoices, many=True).data
    assert len(statements(queries)) == 2  # the invoices, the links
    assert len({one["pdf_link"] for one in shown}) == 100


class Bill:
    """An object on the way to an invoice, which it makes anew each time."""

    def __init__(self, key: Any) -> None:
        self.key = key

    @property
    def invoice(self) -> Any:
        return Invoice.objects.filter(pk=self.key).first()


class BillSerializer(serializers.Serializer[Any]):
    link = DirectLinkField(source="invoice.pdf", allow_null=True)


class NestedSerializer(serializers.Serializer[Any]):
    invoice = InvoiceSerializer()


def test_objects_on_the_way_may_be_others_each_time_or_missing() -> None:
    invoices = [make_invoice() for _ in range(3)]
    expected = [link_for(one.pdf).get_absolute_url() for one in invoices]
    bills = [*(Bill(one.pk) for one in invoices), Bill("00000000000000000000000000000000")]
    shown = BillSerializer(bills, many=True).data
    assert [one.get("link") for one in shown] == [*expected, None]


def test_it_may_be_in_a_serializer_in_another() -> None:
    bills = [Bill(make_invoice().pk) for _ in range(2)]
    expected = [link_for(bill.invoice.pdf).get_absolute_url() for bill in bills]
    shown = NestedSerializer(bills, many=True).data
    assert [one["invoice"]["pdf_link"] for one in shown] == expected


def test_a_field_cannot_be_written() -> None:
    serializer = InvoiceSerializer(make_invoice(), data={"pdf_link": "x"}, partial=True)
    assert serializer.is_valid()
    assert "pdf" not in serializer.validated_data


def test_nothing_else_is_there_to_import() -> None:
    for package in (directlinks, directlinks.api):
        with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
            _ = package.nothing
