"""Links to the files of a site's own models, in its own admin."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.admin import site
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django.fixtures import Settings

import directlinks
from directlinks.admin import DirectLinksAdminMixin
from directlinks.models import DirectLink
from directlinks.services.following import unregister
from directlinks.services.linking import link_for
from tests.factories import UserFactory
from tests.hosts.invoices import make_invoice
from tests.hosts.models import Invoice

pytestmark = pytest.mark.django_db

LIST = reverse("admin:hosts_invoice_changelist")


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    directlinks.register(Invoice, "pdf", owner="customer.user")
    yield
    unregister(Invoice, "pdf")


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    return client


def test_a_list_shows_the_links_that_are_there_by_one_statement(staff: Client) -> None:
    invoices = [make_invoice() for _ in range(3)]
    link = link_for(invoices[0].pdf)
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            text = staff.get(LIST).content.decode()
        assert f"http://testserver{link.get_absolute_url()}" in text
        assert sum("directlinks_" in one["sql"] for one in queries) == 1
        assert DirectLink.objects.count() == 1
        make_invoice()
    assert 'data-copy="http://testserver/f/' in text
    assert "directlinks/copy.js" in text


def test_the_action_makes_links_and_shows_their_addresses(staff: Client) -> None:
    invoices = [make_invoice(), make_invoice(), make_invoice(pdf="")]
    data = {"action": "create_direct_links", "_selected_action": [one.pk for one in invoices]}
    text = staff.post(LIST, data, follow=True).content.decode()
    assert "2 direct links are ready:" in text
    for link in DirectLink.objects.all():
        assert f"http://testserver{link.get_absolute_url()}" in text
    assert DirectLink.objects.count() == 2


def test_a_page_has_a_panel_and_a_new_object_has_none(staff: Client) -> None:
    invoice = make_invoice()
    page = reverse("admin:hosts_invoice_change", args=[invoice.pk])
    assert "data-copy" not in staff.get(page).content.decode()
    link = link_for(invoice.pdf)
    text = staff.get(page).content.decode()
    assert f'data-copy="http://testserver{link.get_absolute_url()}"' in text
    assert reverse("admin:directlinks_directlink_change", args=[link.pk]) in text
    assert (
        "direct links"
        not in staff.get(reverse("admin:hosts_invoice_add")).content.decode().split("<form", 2)[-1]
    )
    assert staff.get(reverse("admin:hosts_invoice_change", args=["x"])).status_code == 302


def test_many_addresses_are_cut_short(staff: Client) -> None:
    keys = [make_invoice().pk for _ in range(11)]
    data = {"action": "create_direct_links", "_selected_action": keys}
    text = staff.post(LIST, data, follow=True).content.decode()
    assert "11 direct links are ready:" in text
    assert text.split("11 direct links")[1].split("</li>")[0].count("<a ") == 10


def test_limits_of_the_site_that_contradict_each_other_are_told(
    staff: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise ValidationError("No links today.")

    monkeypatch.setattr("directlinks.admin.mixins.make_links", refuse)
    data = {"action": "create_direct_links", "_selected_action": [make_invoice().pk]}
    assert "No links today." in staff.post(LIST, data, follow=True).content.decode()


def test_the_policy_of_the_site_decides(staff: Client, settings: Settings) -> None:
    mine = make_invoice(get_user_model().objects.get())
    others = make_invoice(UserFactory())
    links = {one.pk: link_for(one.pdf).get_absolute_url() for one in (mine, others)}
    settings.DIRECTLINKS = {"POLICY": "tests.admin.test_files.OwnFilesOnly"}
    text = staff.get(LIST).content.decode()
    assert [links[one.pk] in text for one in (mine, others)] == [True, False]
    data = {"action": "create_direct_links", "_selected_action": list(links)}
    text = staff.post(LIST, data, follow=True).content.decode()
    assert "1 direct link is ready:" in text
    assert links[others.pk] not in text


@pytest.mark.parametrize("has_actions", [True, False])
def test_there_is_no_action_where_none_is_wanted(
    staff: Client, monkeypatch: pytest.MonkeyPatch, has_actions: bool
) -> None:
    make_invoice()
    page = LIST
    if has_actions:
        page += "?_popup=1"
    else:
        monkeypatch.setattr(site._registry[Invoice], "actions", None)
    assert "create_direct_links" not in staff.get(page).content.decode()


def test_an_owner_is_deleted_and_the_link_stays(staff: Client) -> None:
    user = UserFactory()
    link = link_for(make_invoice(user).pdf)
    page = reverse("admin:auth_user_delete", args=[user.pk])
    assert staff.post(page, {"post": "yes"}).status_code == 302
    assert link_for(Invoice.objects.get().pdf) == link
    link.refresh_from_db()
    assert link.file.owner is None


def test_a_site_may_choose_places_and_actions(rf: RequestFactory) -> None:
    class OtherAdmin(DirectLinksAdminMixin):
        list_display = ("direct_links", "number")
        fields = ("direct_links", "number")
        actions = ("mine",)

    class QuietAdmin(DirectLinksAdminMixin):
        actions = None

    request = rf.get("/")
    request.user = UserFactory(is_staff=True, is_superuser=True)
    admin = OtherAdmin(Invoice, site)
    assert admin.get_list_display(request) == ["direct_links", "number"]
    assert list(admin.actions) == ["mine", "create_direct_links"]
    assert QuietAdmin.actions is None
    fieldsets = [(None, {"fields": ("direct_links", "number")})]
    assert [
        (None, {"fields": tuple(options["fields"])})
        for _, options in admin.get_fieldsets(request, make_invoice())
    ] == fieldsets


def test_links_are_for_those_who_may_see_them(client: Client) -> None:

    user: Any = UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__endswith="_invoice"))
    client.force_login(user)
    link_for(make_invoice().pdf)
    text = client.get(LIST).content.decode()
    assert "data-copy" not in text
    assert "create_direct_links" not in text
