"""Links that are their requester's own."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from directlinks import signals
from directlinks.core import codes
from directlinks.core.envelope import Batch
from directlinks.datetimes import as_stored
from directlinks.models import DirectLink, File
from directlinks.policies import OwnerOrAdmin
from directlinks.services.creating import IssuedLink, create_dedicated_links, create_direct_links
from tests.factories import DirectLinkFactory, FileFactory, UserFactory
from tests.services.listening import heard_from

pytestmark = pytest.mark.django_db

LATER = as_stored(datetime(2090, 1, 1, tzinfo=UTC))


def create(user: Any, *paths: str, **options: Any) -> Batch[IssuedLink]:
    texts = [f"cloudreve://my/{path}" for path in paths]
    return create_direct_links(user=user, texts=texts, policy=OwnerOrAdmin(), **options)


@pytest.fixture
def owner() -> Any:
    """Somebody with a file ``a`` that has a link, and a file ``b`` that has none."""
    file = FileFactory(path="a")
    DirectLinkFactory(file=file, name="a", reuse_name="a", code="everybodys")
    FileFactory(owner=file.owner, path="b")
    return file.owner


@pytest.mark.parametrize(
    "limits",
    [
        {"expires_at": LATER},
        {"not_before": LATER},
        {"max_downloads": 1},
        {"password": "open sesame"},
        {"paused": True},
        {"referers": "example.org"},
        {"ask_first": True},
        {"label": "x"},
        {"note": "x"},
    ],
)
def test_any_limit_or_label_makes_a_new_link_each_time(owner: Any, limits: dict[str, Any]) -> None:
    for _ in range(2):
        batch = create(owner, "a", "b", "a", limits=limits)
        assert [item.link.name for item in batch.items] == ["a", "b", "a"]
        assert batch.items[0].link == batch.items[2].link
        assert "everybodys" not in {item.link.code for item in batch.items}
    new = DirectLink.objects.exclude(code="everybodys")
    assert new.filter(reuse_name=None, created_by=owner).count() == 4
    (name,) = limits
    if name != "password":
        assert set(new.values_list(name, flat=True)) == set(limits.values())


@pytest.mark.parametrize(
    "limits", [None, {}, {"expires_at": None, "label": "", "paused": False, "password": ""}]
)
def test_what_limits_nothing_gives_the_link_that_everybody_gets(
    owner: Any, limits: dict[str, Any] | None
) -> None:
    assert create(owner, "a", limits=limits).items[0].link.code == "everybodys"


@pytest.mark.parametrize(
    ("site", "reuse"), [({}, False), ({"REUSE": False}, True), ({"DEFAULT_LIFE": 60}, True)]
)
def test_whoever_wants_a_new_one_and_whoevers_site_does_gets_it(
    owner: Any, site: dict[str, Any], reuse: bool, settings: Settings
) -> None:
    settings.DIRECTLINKS = site
    given = {create(owner, "a", reuse=reuse).items[0].link.code for _ in range(2)}
    assert len(given | {"everybodys"}) == 3


def test_the_site_limits_what_the_asker_leaves_open(owner: Any, settings: Settings) -> None:
    settings.DIRECTLINKS = {"DEFAULT_LIFE": timedelta(days=1)}
    asked = create(owner, "a", limits={"expires_at": None, "label": "x"}).items[0].link
    left_open = create(owner, "a", limits={"label": "x"}).items[0].link
    assert (asked.expires_at, left_open.expires_at is None) == (None, False)


def test_a_password_is_hashed_once_for_all(owner: Any) -> None:
    batch = create(owner, "a", "b", limits={"password": "open sesame"})
    (hashed,) = {item.link.password for item in batch.items}
    assert check_password("open sesame", hashed)


def test_wrong_limits_make_nothing(owner: Any, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0), pytest.raises(ValidationError):
        create(owner, "a", "b", limits={"max_downloads": 0})


def test_the_number_of_files_does_not_change_the_number_of_statements() -> None:
    file = FileFactory(path="0")
    for number in range(1, 30):
        FileFactory(owner=file.owner, path=str(number))
    counts = []
    for number in (1, 30):
        with CaptureQueriesContext(connection) as captured:
            create(file.owner, *map(str, range(number)), limits={"label": "x"})
        counts.append([query["sql"].split(maxsplit=1)[0] for query in captured])
    assert counts[0] == counts[1] == ["SELECT", "SAVEPOINT", "INSERT", "RELEASE"]


def test_new_links_are_told_of_as_one(owner: Any, django_capture_on_commit_callbacks: Any) -> None:
    with heard_from(signals.created) as heard, django_capture_on_commit_callbacks(execute=True):
        batch = create(owner, "a", "b", limits={"label": "x"})
    (fact,) = heard
    assert fact["links"] == [item.link for item in batch.items]
    assert fact["user"] == owner


def test_of_links_for_everybody_only_the_new_are_told_of(
    owner: Any, django_capture_on_commit_callbacks: Any
) -> None:
    with heard_from(signals.created) as heard, django_capture_on_commit_callbacks(execute=True):
        batch = create(owner, "a", "b")
        create(owner, "a", "b")
    assert [fact["links"] for fact in heard] == [[batch.items[1].link]]


def test_nothing_new_is_not_told_of(owner: Any, django_capture_on_commit_callbacks: Any) -> None:
    with heard_from(signals.created) as heard, django_capture_on_commit_callbacks(execute=True):
        create(owner, "missing", limits={"label": "x"})
        create(owner, "a", limits={"label": "x"}, dry_run=True)
    assert heard == []


class TestDryRuns:
    @pytest.mark.parametrize(
        ("options", "found"),
        [
            ({}, ["everybodys", None]),
            ({"reuse": False}, [None, None]),
            ({"limits": {"label": "x"}}, [None, None]),
        ],
    )
    def test_they_write_nothing_and_say_what_is_there(
        self, owner: Any, options: dict[str, Any], found: list[str | None]
    ) -> None:
        with CaptureQueriesContext(connection) as captured:
            batch = create(owner, "a", "missing", "b", dry_run=True, **options)
        links = [item.link for item in batch.items]
        assert [None if link._state.adding else link.code for link in links] == found
        assert list(batch.errors) == ["cloudreve://my/missing"]
        assert {query["sql"].split()[0] for query in captured} <= {"SELECT", "WITH"}
        assert DirectLink.objects.count() == 1

    def test_a_link_with_a_former_name_is_not_the_one(self, owner: Any) -> None:
        file = File.objects.get(path="a")
        file.path = "c"
        file.save()
        assert create(owner, "c", dry_run=True).items[0].link._state.adding


class TestMishaps:
    def test_a_code_that_is_taken_is_thrown_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        file, taken = FileFactory(), DirectLinkFactory().code
        thrown(monkeypatch, taken, "free")
        assert create_dedicated_links([file], columns={}, created_by=None)[file.pk].code == "free"

    def test_a_file_without_a_free_code_has_no_link(self, monkeypatch: pytest.MonkeyPatch) -> None:
        file, taken = FileFactory(path="a"), DirectLinkFactory().code
        thrown(monkeypatch, *[taken] * 4)  # one for each try, and one that is thrown away
        batch = create(file.owner, "a", reuse=False)
        assert (batch.items, batch.summary) == ([], "no free code was found for a link")

    @pytest.mark.django_db(transaction=True)
    def test_a_file_that_vanishes_keeps_no_other_from_its_link(self) -> None:
        file, gone = FileFactory.create_batch(2, owner=UserFactory())
        File.objects.filter(pk=gone.pk).delete()
        links = create_dedicated_links([gone, file], columns={"label": "x"}, created_by=None)
        assert list(links) == [file.pk]


def thrown(monkeypatch: pytest.MonkeyPatch, *texts: str) -> None:
    """The next new codes are ``texts``."""
    dice: Iterator[str] = iter(texts)
    monkeypatch.setattr(codes, "generate", lambda *options: [next(dice)])
