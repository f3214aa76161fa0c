"""Changing links, and giving them another code."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from directlinks import signals
from directlinks.core.errors import NotYourLink
from directlinks.datetimes import as_stored
from directlinks.models import DirectLink, FormerCode
from directlinks.services import changing
from directlinks.services.changing import (
    change_direct_link,
    rotate_direct_link,
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
    monkeypatch.setattr(changing, "fresh_codes", lambda number: [next(dice)])
