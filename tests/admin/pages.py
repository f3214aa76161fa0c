"""The pages of the admin, as a person uses them."""

import re
from collections.abc import Iterable
from html import unescape
from typing import Any

from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from tests.factories import UserFactory

FILES = reverse("admin:directlinks_file_changelist")
NEW_FILE = reverse("admin:directlinks_file_add")
DASHBOARD = reverse("admin:directlinks_directlink_dashboard")
LINKS = reverse("admin:directlinks_directlink_changelist")


def page_of(row: Any) -> str:
    """The page on which ``row`` is changed."""
    return reverse(f"admin:directlinks_{row._meta.model_name}_change", args=[row.pk])


def listed(browser: Client, page: str, **query: str) -> set[Any]:
    """The rows that a list page shows."""
    response = browser.get(page, query)
    assert response.status_code == 200
    return set(response.context["cl"].result_list)


def run(browser: Client, page: str, action: str, rows: Iterable[Any], **answers: str) -> list[str]:
    """Run ``action`` on ``rows`` of a list page, where it asks with these ``answers``; returns the
    messages, as they are on the page."""
    keys = [row.pk for row in rows]
    data = {"action": action, "_selected_action": keys}
    html = browser.post(page, data, follow=True).content.decode()
    if 'name="confirmed"' in html:
        confirmed = {**data, "confirmed": "yes", **answers}
        html = browser.post(page, confirmed, follow=True).content.decode()
    return re.findall(r'<li class="\w+">(.*?)</li>', messages_of(html), re.DOTALL)


def press(browser: Client, page: str, button: str) -> Any:
    """The answer to a press of the ``button`` on ``page``, with what its form holds, followed."""
    html = browser.get(page).content.decode()
    forms = re.findall(r"<form [^>]*>.*?</form>", html, re.DOTALL)
    (form,) = (form for form in forms if f'name="action" value="{button}"' in form)
    action = re.search(r'action="([^"]+)"', form)
    assert action is not None
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form)
    return browser.post(action[1], {**dict(hidden), "action": button}, follow=True)


def messages_of(html: str) -> str:
    return "".join(re.findall(r'<ul class="messagelist">(.*?)</ul>', html, re.DOTALL))


def faults(response: Any) -> dict[str, list[str]]:
    """The faults of a form that was sent; the form is shown again."""
    assert response.status_code == 200
    return dict(response.context["adminform"].form.errors)


def actions(browser: Client, page: str) -> set[str]:
    """The actions that a list page offers."""
    html = browser.get(page).content.decode()
    choices = re.search(r'<select name="action".*?</select>', html, re.DOTALL)
    offered = choices[0] if choices is not None else ""
    return {unescape(value) for value in re.findall(r'<option value="(\w+)"', offered)}


def text_of(html: str) -> str:
    """What a reader sees of ``html``, in one line."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def staff(client: Client, *permissions: str) -> Client:
    """``client`` as the browser of a staff user with ``permissions`` alone."""
    user = UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return client
