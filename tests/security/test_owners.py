"""Whose a file is decides who may do anything with its links."""

from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from directlinks.api.urls import urlpatterns
from directlinks.models import DirectLink
from tests.admin.pages import DASHBOARD, FILES, LINKS, page_of, run
from tests.api.clients import APIClient
from tests.factories import DirectLinkFactory, FileFactory, UserFactory

pytestmark = pytest.mark.django_db

SESSION = "rest_framework.authentication.SessionAuthentication"
CSRF_TOKEN = "a" * 32


class TestFilesOfOthers:
    @pytest.mark.parametrize(
        ("user", "code"),
        [
            ("{pk}", 403),
            ("{pk}:password", 403),
            ("{encoded}", 403),
            ("{name}", 40016),
            ("0{pk}", 40016),
            ("+{pk}", 40016),
            ("{pk}%00", 40016),
        ],
    )
    def test_no_spelling_of_their_owner_opens_them(self, user: str, code: int) -> None:
        file = FileFactory(path="a.txt")
        key = str(file.owner.pk)
        encoded = "".join(f"%{ord(digit):02X}" for digit in key)
        part = user.format(pk=key, encoded=encoded, name=file.owner.username)
        answer = APIClient(UserFactory()).put(f"cloudreve://{part}@my/a.txt").json()
        (error,) = answer["aggregated_error"].values()
        assert error["code"] == code
        assert not DirectLink.objects.exists()

    def test_nothing_tells_one_that_is_there_from_one_that_is_not(self) -> None:
        owner = FileFactory(path="there.txt").owner
        stranger = APIClient(UserFactory(), **{"X-Request-ID": "1" * 32})
        answers = [
            stranger.put(f"cloudreve://{owner.pk}@my/{name}.txt").content.replace(
                name.encode(), b""
            )
            for name in ("there", "gone")
        ]
        assert answers[0] == answers[1]
        assert owner.username.encode() not in answers[0]


@pytest.mark.parametrize(
    ("traits", "status"),
    [
        ({"is_staff": True}, 403),
        ({"is_staff": True, "is_superuser": True}, 200),
        # These are asked to log in.
        ({}, 302),
        ({"is_superuser": True}, 302),
        ({"is_staff": True, "is_active": False}, 302),
        ({"is_staff": True, "is_superuser": True, "is_active": False}, 302),
    ],
)
class TestTheAdmin:
    """It follows the permissions of Django, beside which being staff is nothing."""

    def test_it_shows_everything_to_superusers_and_nothing_to_others(
        self, traits: dict[str, bool], status: int
    ) -> None:
        link = DirectLinkFactory()
        browser = Client()
        browser.force_login(UserFactory(**traits))
        pages = (FILES, LINKS, DASHBOARD, page_of(link), page_of(link.file))
        assert {browser.get(page).status_code for page in pages} == {status}

    def test_what_it_does_not_show_it_does_not_change(
        self, traits: dict[str, bool], status: int
    ) -> None:
        link = DirectLinkFactory()
        browser = Client()
        browser.force_login(UserFactory(**traits))
        run(browser, LINKS, "revoke_links", [link])
        run(browser, FILES, "trash_files", [link.file])
        fresh = DirectLink.objects.select_related("file").get()
        is_changed = status == 200
        assert (fresh.revoked_at is not None) == is_changed
        assert fresh.file.is_live != is_changed


# By the name of its route: how it is called, of which link, and with what.
WRITING: list[tuple[str, str, str, str, Any]] = [
    ("source", "PUT", "file/source", "abcd", {"uris": ["cloudreve://my/b.txt"]}),
    ("source-detail", "PATCH", "file/source/abcd", "abcd", {"paused": True}),
    ("source-detail", "DELETE", "file/source/abcd", "abcd", None),
    ("source-rotate", "POST", "file/source/abcd/rotate", "abcd", {}),
    ("source-revoke", "POST", "file/source/revoke", "abcd", {"ids": ["abcd"]}),
    ("source-revoke", "PATCH", "file/source/revoke", "revoke", {"paused": True}),
    ("source-revoke", "DELETE", "file/source/revoke", "revoke", None),
]


def test_these_are_all_calls_that_write() -> None:
    found = {
        (route.name, method.upper())
        for route in urlpatterns
        for method in getattr(route.callback, "actions", {})
        # The same routes with a final slash have no name.
        if method not in ("get", "head") and route.name is not None
    }
    assert found == {(name, method) for name, method, *_ in WRITING}


@pytest.mark.parametrize(("name", "method", "path", "link", "body"), WRITING)
class TestCallsThatWrite:
    @pytest.mark.parametrize(
        ("session", "headers", "code"),
        [
            ("nobody's", {}, 401),
            ("nobody's", {"X-CSRFToken": CSRF_TOKEN}, 401),
            ("the owner's", {}, 403),
            ("the owner's", {"X-CSRFToken": "b" * 32}, 403),
            ("the owner's", {"X-CSRFToken": CSRF_TOKEN}, 0),
            ("the inactive owner's", {"X-CSRFToken": CSRF_TOKEN}, 401),
        ],
    )
    def test_a_session_is_not_enough(
        self,
        name: str,
        method: str,
        path: str,
        link: str,
        body: Any,
        session: str,
        headers: dict[str, str],
        code: int,
        settings: Settings,
    ) -> None:
        settings.REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": [SESSION]}
        owner = DirectLinkFactory(code=link).file.owner
        FileFactory(owner=owner, path="b.txt")
        api = APIClient()
        api.client = Client(enforce_csrf_checks=True)
        api.client.cookies["csrftoken"] = CSRF_TOKEN
        if session != "nobody's":
            api.client.force_login(owner)
        owner.is_active = "inactive" not in session
        owner.save()
        before = list(DirectLink.objects.values())
        response = api.call(method, path, body, **headers)
        assert (response.status_code, response.json()["code"]) == (code or 200, code)
        assert (list(DirectLink.objects.values()) == before) == (code != 0)

    def test_a_token_is(
        self, name: str, method: str, path: str, link: str, body: Any, settings: Settings
    ) -> None:
        """Also beside a session: no other site's page could have sent it."""
        settings.REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": [SESSION]}
        owner = DirectLinkFactory(code=link).file.owner
        FileFactory(owner=owner, path="b.txt")
        api = APIClient(owner)
        api.client = Client(enforce_csrf_checks=True)
        api.client.force_login(owner)
        assert api.call(method, path, body).json()["code"] == 0
