"""Names and texts that somebody made up stay text wherever they are shown."""

import csv
from functools import cache
from html.parser import HTMLParser
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from directlinks.core.records import unescape_cell
from directlinks.core.uris import file_url
from directlinks.delivery.headers import disposition
from directlinks.models import DirectLink, FormerCode
from directlinks.services.changing import change_direct_link
from tests.admin.pages import DASHBOARD, FILES, LINKS, page_of
from tests.api.clients import APIClient
from tests.delivery.downloads import delivery
from tests.factories import DirectLinkFactory, UserFactory
from tests.security.asking import BROWSER, LOCAL, document

pytestmark = pytest.mark.django_db

# They would be markup, leave an attribute, lead to a script, or be computed by a spreadsheet.
HOSTILE = [
    "<script>alert(1)<\u2044script>",
    "<img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)" x="',
    "' onmouseover='alert(1)' x='",
    "javascript:alert(1)",
    "data:text/html,<b onload=alert(1)>",
    "<!--<style>*{display:none}",
    "]]> --> {{ 7|add:7 }} {% debug %} %(x)s",
    "=cmd|' /C calc'!A0",
    'a](javascript:alert(1)) "[x] <b>',
]


class TestNames:
    @pytest.mark.parametrize(
        "name",
        ["a\r\nSet-Cookie: b=c.txt", "a\nb.txt", "a\rb.txt", "a\0b.txt", "\x1b[2J.txt", "\x85.txt"],
    )
    def test_one_with_control_characters_stays_one_line(self, name: str) -> None:
        header = disposition(name, attachment=True)
        assert header.isprintable()
        assert header.isascii()

    @pytest.mark.parametrize("backend", LOCAL)
    @pytest.mark.parametrize(
        ("name", "status"),
        [("a\r\nSet-Cookie: b=c", 200), ("..", 200), ("../a.txt", 404), ("a/b.txt", 404)],
    )
    def test_one_that_only_the_database_could_be_made_to_hold_adds_no_header(
        self, name: str, status: int, backend: str, settings: Settings
    ) -> None:
        settings.DIRECTLINKS = delivery(backend)
        link = DirectLinkFactory()
        DirectLink.objects.filter(pk=link.pk).update(name=name)
        link.refresh_from_db()
        response = document(link)
        assert response.status_code == status
        assert "Set-Cookie" not in response.headers
        assert all(value.isprintable() for value in response.headers.values())

    @pytest.mark.parametrize("backend", LOCAL)
    def test_one_that_reorders_itself_is_put_straight_whoever_delivers(
        self, backend: str, settings: Settings
    ) -> None:
        settings.DIRECTLINKS = delivery(backend)
        response = document(DirectLinkFactory(file__path='a"\u202e;fdp.exe'))
        expected = "attachment; filename=\"a_;fdp.exe\"; filename*=utf-8''a%22%3Bfdp.exe"
        assert response.headers["Content-Disposition"] == expected

    def test_no_name_is_longer_than_a_file_system_holds(self) -> None:
        link = DirectLinkFactory(file__path="é" * 127)
        assert len(document(link).headers["Content-Disposition"]) < 1000

    @pytest.mark.parametrize("prefix", ["/f/", "/f/d/"])
    @pytest.mark.parametrize("accept", [BROWSER, {}])
    def test_one_that_a_visitor_made_up_is_not_repeated(
        self, prefix: str, accept: dict[str, str]
    ) -> None:
        link = DirectLinkFactory(file__path="a.pdf")
        response = Client().get(f"{prefix}{link.code}/evil%3Cscript%3E.html", headers=accept)
        assert response.status_code == 404
        assert b"evil" not in response.content
        assert "evil" not in str(response.headers)


class Markup(HTMLParser):
    """The elements of a page, with the names of their attributes, and where it leads."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.schemes: set[str] = set()
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("wbr", "path"):  # where an address may be broken, and what a QR code draws
            self.elements.append((tag, tuple(name for name, _ in attrs)))
        addresses = [value or "" for name, value in attrs if name in ("href", "src", "action")]
        self.schemes |= {urlsplit(address.strip()).scheme for address in addresses}


def link_called(text: str) -> DirectLink:
    """A link that has ``text`` wherever somebody may put one."""
    user = UserFactory(username=text, email=f"{text}@example.org", first_name=text)
    link: DirectLink = DirectLinkFactory(
        code="TheCode222",
        file__owner=user,
        file__path=text,
        name=text,
        label=text,
        note=text,
        created_by=user,
    )
    FormerCode.objects.create(code="Former222", link=link, until=None)
    change_direct_link(link, {"label": text + "x"}, user=user, now=timezone.now())
    return link


# What a page does with one row, without asking once more.
ACTIONS = [
    (LINKS, "pause_links"),
    (LINKS, "extend_links"),
    (LINKS, "rotate_links"),
    (LINKS, "revoke_links"),
    (LINKS, "delete_selected"),
    (FILES, "delete_selected"),
    (FILES, "check_bytes"),
    (FILES, "create_links"),
    (FILES, "trash_files"),
    (FILES, "restore_files"),
]


@cache
def structure(text: str) -> dict[str, Markup]:
    """Each page that shows a link with ``text``, or asks before something is done to it."""
    with transaction.atomic():
        link = link_called(text)
        browser = Client()
        browser.force_login(UserFactory(is_staff=True, is_superuser=True))
        pages = {
            "dashboard": DASHBOARD,
            "files": FILES,
            "links": LINKS,
            "search": f"{LINKS}?q={link.code}",
            "links of an owner": f"{LINKS}?owner={link.file.owner_id}",
            "links of a file": f"{LINKS}?file__id__exact={link.file_id}",
        }
        for row in (link, link.file):
            for page in ("change", "delete", "history"):
                pages[f"{page} {row._meta.model_name}"] = page_of(row).replace("change", page)
        answers = {name: browser.get(page) for name, page in pages.items()}
        for page, action in ACTIONS:
            row = link if page == LINKS else link.file
            data = {"action": action, "_selected_action": row.pk}
            answers[f"{page} {action}"] = browser.post(page, data, follow=True)
        transaction.set_rollback(True)
    assert {answer.status_code for answer in answers.values()} == {200}
    return {name: Markup(answer.content.decode()) for name, answer in answers.items()}


class TestTextsOfStrangers:
    @pytest.mark.parametrize("text", HOSTILE)
    def test_no_page_of_the_admin_is_another_for_them(self, text: str) -> None:
        """Each has the elements, the attributes and the kinds of addresses that it always has."""
        plain, hostile = structure("plain"), structure(text)
        assert list(hostile) == list(plain)
        for name, page in hostile.items():
            assert page.elements == plain[name].elements, name
            assert page.schemes == plain[name].schemes <= {"", "http", "https"}, name

    @pytest.mark.parametrize("text", HOSTILE)
    def test_no_answer_of_the_api_could_be_markup(self, text: str) -> None:
        link = link_called(text)
        api = APIClient(link.file.owner)
        uri = file_url(link.file.path)
        for response in (
            api.get("file/source", snippets="true", uri=uri),
            api.get(f"file/source/{link.code}", snippets="true"),
            api.get("file/info", uri=uri, extended="true"),
            api.put(uri, f"{uri}x"),
        ):
            assert response.status_code == 200
            assert response.headers["Content-Type"] == "application/json; charset=utf-8"
            assert not set("<>&") & set(response.content.decode())

    @pytest.mark.parametrize("text", HOSTILE)
    def test_no_cell_of_an_export_is_computed(self, text: str) -> None:
        link = link_called(text)
        browser = Client()
        browser.force_login(UserFactory(is_staff=True, is_superuser=True))
        data = {"action": "export_links", "_selected_action": link.pk}
        of_admin: Any = browser.post(LINKS, data)
        of_command = StringIO()
        call_command("directlinks_export", "--format=csv", stdout=of_command)
        for exported in (of_admin.getvalue().decode("utf-8-sig"), of_command.getvalue()):
            (row,) = csv.DictReader(StringIO(exported))
            assert text in {unescape_cell(value) for value in row.values()}
            assert not any(value.lstrip().startswith(tuple("=+-@")) for value in row.values())
