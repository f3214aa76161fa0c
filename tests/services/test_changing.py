"""Changing links, and giving them another code."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from directlinks import signals
from directlinks.core.errors import NotYourLink
from directlinks.datetimes import as_stored
from directlinks.models import DirectLink, FormerCode
from directlinks.services import changing
from directlinks.services.changing import (
    change_direct_link,
    extend_direct_links,
    pause_direct_links,
    resume_direct_links,
    rotate_direct_link,
    rotate_direct_links,
)
from tests.factories import DirectLinkFactory, UserFactory
from tests.services.listening import heard_from

pytestmark = pytest.mark.django_db

NOW = as_stored(datetime(2026, 5, 4, 12, tzinfo=UTC))


def reusable() -> DirectLink:
    link: DirectLink = DirectLinkFactory(name="a.txt", reuse_name="a.txt")
    return link


class TestChanging:
    def test_limits_are_saved_in_one_write_beside_what_history_needs(
        self, django_assert_num_queries: Any
    ) -> None:
        link, user = reusable(), UserFactory()
        change_direct_link(link, {"note": "x"}, user=user, now=NOW)  # asks for the content type
        with django_assert_num_queries(5) as queries:  # a savepoint, what was there, two writes
            change_direct_link(link, {"paused": True, "max_downloads": 3}, user=user, now=NOW)
        assert len([q for q in queries.captured_queries if q["sql"].startswith("UPDATE")]) == 1
        saved = DirectLink.objects.get()
        assert (saved.paused, saved.max_downloads, saved.reuse_name) == (True, 3, None)

    def test_what_was_changed_is_told_and_remembered(
        self, django_capture_on_commit_callbacks: Any
    ) -> None:
        link, user = reusable(), UserFactory()
        with heard_from(signals.changed) as heard, django_capture_on_commit_callbacks(execute=True):
            change_direct_link(link, {"label": "x", "note": "y"}, user=user, now=NOW)
        ((fact),) = heard
        assert (fact["links"], fact["changes"], fact["user"]) == ([link], ["label", "note"], user)
        entry = LogEntry.objects.get(user=user, object_id=str(link.pk))
        assert entry.get_change_message() == "Changed label and note."

    def test_a_label_keeps_a_link_for_everybody(self) -> None:
        link = reusable()
        change_direct_link(link, {"label": "x"}, user=None, now=NOW)
        assert DirectLink.objects.reusable().get() == link

    def test_a_moment_in_the_past_ends_a_link_now(self) -> None:
        link = change_direct_link(reusable(), {"expires_at": NOW}, user=None, now=NOW)
        assert link.state(NOW).name == "EXPIRED"

    def test_what_others_did_meanwhile_stays(self) -> None:
        link = reusable()
        DirectLink.objects.update(downloads=7, label="theirs")
        change_direct_link(link, {"note": "mine"}, user=None, now=NOW)
        saved = DirectLink.objects.get()
        assert (saved.downloads, saved.label, saved.note) == (7, "theirs", "mine")

    def test_nothing_to_change_is_nothing_done(self, django_assert_num_queries: Any) -> None:
        link, user = reusable(), UserFactory()
        with django_assert_num_queries(0):
            assert change_direct_link(link, {}, user=user, now=NOW) is link

    def test_a_wrong_value_changes_nothing(self, django_assert_num_queries: Any) -> None:
        link, user = reusable(), UserFactory()
        with django_assert_num_queries(0), pytest.raises(ValidationError):
            change_direct_link(link, {"label": "x", "max_downloads": 0}, user=user, now=NOW)


class TestRotating:
    @pytest.mark.parametrize(
        ("grace", "until"), [(None, None), (timedelta(hours=1), NOW + timedelta(hours=1))]
    )
    def test_the_link_has_a_new_code_and_keeps_all_else(
        self, grace: timedelta | None, until: datetime | None
    ) -> None:
        link = DirectLinkFactory(name="a", downloads=3, label="x", expires_at=NOW)
        before = DirectLink.objects.filter(pk=link.pk).values().get()
        rotate_direct_link(link, grace=grace, user=None, now=NOW)
        after = DirectLink.objects.filter(pk=link.pk).values().get()
        old, new = before.pop("code"), after.pop("code")
        assert (old != new, after) == (True, before)
        assert (link.code, FormerCode.objects.get(link=link, until=until).code) == (new, old)

    def test_it_is_told_and_remembered(self, django_capture_on_commit_callbacks: Any) -> None:
        link, user = reusable(), UserFactory()
        with heard_from(signals.changed) as heard, django_capture_on_commit_callbacks(execute=True):
            rotate_direct_link(link, grace=None, user=user, now=NOW)
        assert (heard[0]["links"], heard[0]["changes"]) == ([link], ["code"])
        assert LogEntry.objects.get(user=user).get_change_message() == "Changed code."

    @pytest.mark.parametrize("meanwhile", [{"code": "another-code"}, {"revoked_at": NOW}])
    def test_whoever_comes_second_is_told(self, meanwhile: dict[str, Any]) -> None:
        link = reusable()
        DirectLink.objects.update(reuse_name=None, **meanwhile)
        with pytest.raises(NotYourLink):
            rotate_direct_link(link, grace=None, user=None, now=NOW)
        assert not FormerCode.objects.exists()

    def test_a_code_that_is_taken_is_thrown_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        link = reusable()
        DirectLinkFactory(code="taken")
        thrown(monkeypatch, "taken", "free")
        assert rotate_direct_link(link, grace=None, user=None, now=NOW).code == "free"

    def test_it_ends_where_every_code_is_taken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        link = reusable()
        DirectLinkFactory(code="taken")
        thrown(monkeypatch, "taken", "taken", "taken")
        with pytest.raises(IntegrityError):
            rotate_direct_link(link, grace=None, user=None, now=NOW)
        assert not FormerCode.objects.exists()


def thrown(monkeypatch: pytest.MonkeyPatch, *codes: str) -> None:
    """The next new codes are ``codes``."""
    dice: Iterator[str] = iter(codes)
    monkeypatch.setattr(changing, "unique_codes", lambda number: [next(dice)])


DAY = timedelta(days=1)

Verb = Callable[[list[DirectLink], Any], int]
VERBS: dict[str, Verb] = {
    "paused": lambda links, user: pause_direct_links(links, user=user),
    "resumed": lambda links, user: resume_direct_links(links, user=user),
    "extended": lambda links, user: extend_direct_links(links, life=DAY, user=user, now=NOW),
    "rotated": lambda links, user: rotate_direct_links(links, grace=None, user=user, now=NOW),
}
FIELDS = {"paused": "paused", "resumed": "paused", "extended": "expires_at", "rotated": "code"}


def links_for_all(number: int, **fields: Any) -> list[DirectLink]:
    """Links for which the verb of each test means something."""
    links: list[DirectLink] = DirectLinkFactory.create_batch(number, expires_at=NOW, **fields)
    return links


def stored(link: DirectLink) -> DirectLink:
    return DirectLink.objects.get(pk=link.pk)


@pytest.mark.parametrize("name", VERBS)
def test_it_is_remembered_and_announced_once(
    name: str, django_capture_on_commit_callbacks: Any
) -> None:
    user = UserFactory()
    links = links_for_all(3, paused=name == "resumed")
    with heard_from(signals.changed) as news, django_capture_on_commit_callbacks(execute=True):
        assert VERBS[name](links, user) == 3
    (told,) = news
    assert (told["links"], told["changes"], told["user"]) == (links, [FIELDS[name]], user)
    assert [stored(link) for link in links] == told["links"]
    for link in links:
        assert getattr(link, FIELDS[name]) == getattr(stored(link), FIELDS[name])
    assert LogEntry.objects.filter(user=user).count() == 3


@pytest.mark.parametrize("name", VERBS)
def test_what_is_revoked_stays_as_it_is(name: str) -> None:
    (link,) = links_for_all(1, revoked_at=NOW, paused=name == "resumed")
    before = DirectLink.objects.values().get()
    assert VERBS[name]([link], UserFactory()) == 0
    assert DirectLink.objects.values().get() == before
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("name", VERBS)
def test_its_statements_do_not_grow_with_its_links(name: str) -> None:
    def count(number: int) -> int:
        links = links_for_all(number, paused=name == "resumed")
        user = UserFactory()
        with CaptureQueriesContext(connection) as captured:
            assert VERBS[name](links, user) == number
        return len(captured)

    count(1)  # the content type is looked up
    assert count(1) == count(40)


@pytest.mark.parametrize("name", VERBS)
def test_nothing_is_done_to_no_links(name: str) -> None:
    assert VERBS[name]([], UserFactory()) == 0


def test_a_paused_link_is_not_given_again() -> None:
    link = DirectLinkFactory(name="a", reuse_name="a")
    other = DirectLinkFactory(paused=True)
    assert pause_direct_links([link, other], user=None) == 1
    assert (stored(link).paused, stored(link).reuse_name) == (True, None)


def test_only_what_is_paused_is_resumed() -> None:
    links = [DirectLinkFactory(paused=True), DirectLinkFactory()]
    assert resume_direct_links(links, user=None) == 1
    assert not stored(links[0]).paused


@pytest.mark.parametrize(
    ("before", "after"),
    [(NOW + DAY, NOW + 2 * DAY), (NOW - DAY, NOW + DAY), (NOW, NOW + DAY), (None, None)],
)
def test_a_link_is_extended_from_its_end_or_from_now(
    before: datetime | None, after: datetime | None
) -> None:
    link = DirectLinkFactory(expires_at=before)
    changed = extend_direct_links([link], life=DAY, user=None, now=NOW)
    assert changed == (before is not None)
    assert stored(link).expires_at == link.expires_at == after


@pytest.mark.parametrize("month", [6, 12])
def test_no_link_is_extended_beyond_the_calendar(month: int) -> None:
    end = as_stored(datetime(9998, month, 1, tzinfo=UTC))
    endless, link = DirectLinkFactory(expires_at=end), DirectLinkFactory(expires_at=NOW)
    for life in (600 * DAY, 300 * DAY):
        assert extend_direct_links([endless, link], life=life, user=None, now=NOW) == 1
    assert stored(endless).expires_at == end


def test_what_somebody_else_adds_meanwhile_is_kept() -> None:
    link = DirectLinkFactory(expires_at=NOW + DAY)
    DirectLink.objects.update(expires_at=NOW + 10 * DAY)
    extend_direct_links([link], life=DAY, user=None, now=NOW)
    assert stored(link).expires_at == NOW + 11 * DAY


def test_no_link_is_extended_beyond_what_the_site_allows(settings: Settings) -> None:
    short, long = DirectLinkFactory.create_batch(2)
    settings.DIRECTLINKS = {"MAX_LIFE": 3 * DAY}
    made = short.created_at
    short.expires_at, long.expires_at = made + 2 * DAY, made + 3 * DAY
    DirectLink.objects.bulk_update([short, long], ["expires_at"])
    assert extend_direct_links([short, long], life=DAY, user=None, now=made) == 1
    assert stored(short).expires_at == made + 3 * DAY
    assert stored(long).expires_at == made + 3 * DAY


@pytest.mark.parametrize("grace", [None, DAY])
def test_a_rotated_link_has_a_new_code_and_keeps_the_old_one(grace: timedelta | None) -> None:
    link = DirectLinkFactory(label="kept")
    old = link.code
    assert rotate_direct_links([link], grace=grace, user=None, now=NOW) == 1
    fresh = stored(link)
    assert fresh.code == link.code != old
    assert fresh.label == "kept"
    former = FormerCode.objects.get()
    assert (former.code, former.link) == (old, link)
    assert former.until == (None if grace is None else NOW + grace)


def test_who_comes_second_rotates_nothing() -> None:
    link = DirectLinkFactory()
    (late,) = DirectLink.objects.all()
    rotate_direct_links([link], grace=None, user=None, now=NOW)
    assert rotate_direct_links([late], grace=None, user=None, now=NOW) == 0
    assert stored(link).code == link.code


def test_very_many_are_rotated_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changing, "_ROTATED_AT_ONCE", 2)
    links = DirectLinkFactory.create_batch(5)
    old = {link.code for link in links}
    assert rotate_direct_links(links, grace=None, user=None, now=NOW) == 5
    assert not old & set(DirectLink.objects.values_list("code", flat=True))
    assert set(FormerCode.objects.values_list("code", flat=True)) == old
