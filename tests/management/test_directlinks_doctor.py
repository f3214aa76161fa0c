"""``manage.py directlinks_doctor`` as whoever runs it, or cron, sees it."""

import json
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError
from pytest_django.fixtures import Settings

from directlinks import querysets
from directlinks.datetimes import as_stored
from directlinks.models import DirectLink
from tests.factories import DirectLinkFactory, UserFactory, owner_of
from tests.management.terminals import Terminal, interrupted, said

pytestmark = pytest.mark.django_db

THEN = as_stored(datetime(2020, 1, 1, tzinfo=UTC))
NOWHERE = {
    "BACKEND": "tests.storages.Bucket",
    "OPTIONS": {"base_url": "http://127.0.0.1:1/"},
}
NOTHING = "0 bytes-missing, 0 unreadable, 0 drifted, 0 owner-inactive, 0 expired, 0 never-used"


def doctor(*args: object, into: StringIO | None = None) -> tuple[int, str]:
    """The exit code, and what the command says."""
    out = StringIO() if into is None else into
    try:
        said("directlinks_doctor", *args, into=out)
    except SystemExit as exit_:
        return int(exit_.code or 0), out.getvalue()
    return 0, out.getvalue()


@pytest.fixture
def broken() -> list[DirectLink]:
    """A link that expired, and one of somebody who is inactive."""
    return [
        DirectLinkFactory(
            code="abcdefgh", expires_at=THEN, file__path="a\u202eb.txt", file__owner__username="ann"
        ),
        DirectLinkFactory(
            code="ijklmnop",
            file__path="c.txt",
            file__owner=UserFactory(username="bob", is_active=False),
        ),
    ]


def test_a_healthy_site_ends_with_zero() -> None:
    DirectLinkFactory()
    assert doctor() == (0, f"Links: 1 checked, {NOTHING}.\n")


@pytest.mark.usefixtures("broken")
class TestFindings:
    def test_are_lines_and_end_with_one(self) -> None:
        code, text = doctor()
        assert code == 1
        assert text == (
            "expired  abcd…  ann: a\\u202eb.txt\n"
            "owner-inactive  ijkl…  bob: c.txt\n"
            "Links: 2 checked, 0 bytes-missing, 0 unreadable, 0 drifted, "
            "1 owner-inactive, 1 expired, 0 never-used.\n"
        )

    def test_may_be_one_json_object(self, broken: list[DirectLink]) -> None:
        code, text = doctor("--json")
        assert code == 1
        assert json.loads(text) == {
            "findings": [
                {
                    "kind": kind,
                    "link": link.pk,
                    "code": f"{link.code[:4]}…",
                    "owner": owner_of(link.file).username,
                    "path": link.file.path,
                    "detail": "",
                }
                for kind, link in zip(("expired", "owner-inactive"), broken, strict=True)
            ],
            "counts": {
                "bytes-missing": 0,
                "unreadable": 0,
                "drifted": 0,
                "owner-inactive": 1,
                "expired": 1,
                "never-used": 0,
            },
            "links": 2,
            "bytes_checked": True,
        }

    def test_may_be_of_some_kinds_alone(self) -> None:
        assert doctor("--only=expired", "--only=bytes-missing")[1].endswith(
            "Links: 2 checked, 1 expired, 0 bytes-missing.\n"
        )
        assert doctor("--only=never-used") == (0, "Links: 2 checked, 0 never-used.\n")


def test_json_without_findings_is_json() -> None:
    code, text = doctor("--json", "--only=expired")
    assert (code, json.loads(text)) == (
        0,
        {"findings": [], "counts": {"expired": 0}, "links": 0, "bytes_checked": False},
    )


def test_when_a_link_counts_as_never_used_can_be_said() -> None:
    DirectLinkFactory()
    assert doctor("--days=1")[0] == 0
    assert doctor("--days=0")[0] == 1


class TestRemoteStorage:
    @pytest.fixture(autouse=True)
    def _bucket(self, settings: Settings) -> None:
        settings.STORAGES = {
            **settings.STORAGES,
            "directlinks": {"BACKEND": "tests.storages.Bucket"},
        }

    @pytest.mark.parametrize(
        ("options", "told"),
        [
            ((), True),
            (("--only=bytes-missing",), True),
            (("--only=expired",), False),
            (("--remote",), False),
        ],
    )
    def test_that_was_not_asked_is_told(self, options: tuple[str, ...], told: bool) -> None:
        assert ("Remote storages were not checked" in doctor(*options)[1]) is told

    @pytest.mark.parametrize(("options", "checked"), [((), False), (("--remote",), True)])
    def test_that_was_not_asked_is_in_the_json(
        self, options: tuple[str, ...], checked: bool
    ) -> None:
        assert json.loads(doctor("--json", *options)[1])["bytes_checked"] is checked


@pytest.mark.usefixtures("broken")
class TestProbe:
    def test_does_not_ask_a_storage_to_which_no_visitor_is_sent(self) -> None:
        assert doctor("--probe") == (
            0,
            "Storage default: SignedURLBackend does not redirect visitors to it.\n",
        )

    def test_says_what_is_wrong_and_what_to_mend(self, settings: Settings) -> None:
        settings.STORAGES = {**settings.STORAGES, "directlinks": NOWHERE}
        code, text = doctor("--probe")
        assert code == 1
        assert text == (
            "Storage default: SignedURLBackend does not redirect visitors to it.\n"
            "connection  directlinks: http://127.0.0.1:1/ cannot be reached "
            "(ConnectionRefusedError). Start the server, open its port for visitors, or correct "
            "the storage's endpoint.\n"
            "Storage directlinks: a name without content asked for; requests: 1, faults: 1.\n"
        )

    def test_may_be_one_json_object(self, settings: Settings) -> None:
        settings.STORAGES = {"directlinks": NOWHERE, "staticfiles": NOWHERE}
        code, text = doctor("--probe", "--json")
        assert code == 1
        (storage,) = json.loads(text)["storages"]
        assert storage["chain"] == ["GET http://127.0.0.1:1/directlinks/probe-of-nothing"]
        assert storage["requests"] == 1
        assert [fault["kind"] for fault in storage["faults"]] == ["connection"]


@pytest.mark.usefixtures("broken")
class TestTerminal:
    def test_shows_progress_and_findings_apart(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(querysets, "STEP", 1)
        assert doctor(into=Terminal())[1].startswith(
            "\r\x1b[Kexpired  abcd…  ann: a\\u202eb.txt\n"
            "\r\x1b[K1 links checked"
            "\r\x1b[Kowner-inactive"
        )

    def test_gets_json_alone(self) -> None:
        assert json.loads(doctor("--json", into=Terminal())[1])["links"] == 2

    def test_ends_with_two_where_it_was_interrupted(self) -> None:
        with (
            interrupted("directlinks_directlink", "SELECT"),
            pytest.raises(CommandError, match="Run the same command again") as caught,
        ):
            doctor()
        assert caught.value.returncode == 2


def test_nothing_is_changed(broken: Any) -> None:
    before = list(DirectLink.objects.order_by("pk").values())
    doctor()
    assert list(DirectLink.objects.order_by("pk").values()) == before
