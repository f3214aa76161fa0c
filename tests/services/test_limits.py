"""What a link may be limited by, and what the site allows at most."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import AnonymousUser, Group
from django.core.exceptions import ValidationError
from pytest_django.fixtures import Settings

from directlinks.datetimes import as_stored
from directlinks.models import DirectLink
from directlinks.services.limits import (
    EDITABLE_FIELDS,
    Ceilings,
    apply_limits,
    ceilings,
    limits_of_new,
)
from tests.factories import DirectLinkFactory, UserFactory

pytestmark = pytest.mark.django_db

NOW = as_stored(datetime(2026, 5, 4, 12, tzinfo=UTC))
DAY = timedelta(days=1)
GROUPS = {
    "guests": {"MAX_LIFE": 86400, "MAX_DOWNLOADS": 10},
    "friends": {"MAX_LIFE": timedelta(days=7), "MAX_DOWNLOADS": 5},
    "staff": {"MAX_DOWNLOADS": 1000},
}


def member(*groups: str) -> Any:
    user = UserFactory()
    user.groups.set([Group.objects.get_or_create(name=name)[0] for name in groups])
    return user


def limited(limits: dict[str, Any], *, user: Any = None, **link: Any) -> DirectLink:
    """A link that has ``limits`` now; it is not saved."""
    made: DirectLink = DirectLinkFactory(**link)
    DirectLink.objects.filter(pk=made.pk).update(created_at=NOW)
    made.refresh_from_db()
    apply_limits(made, limits, user=user, now=NOW)
    return made


class TestApplying:
    def test_each_limit_is_a_field_of_a_link(self) -> None:
        assert set(EDITABLE_FIELDS) <= {field.name for field in DirectLink._meta.fields}

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("not_before", NOW),
            ("expires_at", NOW + DAY),
            ("expires_at", NOW - DAY),
            ("expires_at", None),
            ("max_downloads", 1),
            ("paused", True),
            ("referers", "example.org\nforum.example.com"),
            ("ask_first", True),
            ("label", "for the press"),
            ("note", "until\nMay"),
        ],
    )
    def test_one_is_set_and_nothing_is_saved(self, name: str, value: Any) -> None:
        link = limited({name: value})
        assert getattr(link, name) == value
        assert getattr(DirectLink.objects.get(), name) != value or value is None

    def test_a_password_is_kept_as_a_hash_and_taken_away_again(self) -> None:
        link = limited({"password": "open sesame"})
        assert "sesame" not in link.password
        assert check_password("open sesame", link.password)
        apply_limits(link, {"password": ""}, user=None, now=NOW)
        assert link.password == ""

    @pytest.mark.parametrize(
        ("limits", "field"),
        [
            ({"max_downloads": 0}, "max_downloads"),
            ({"max_downloads": "many"}, "max_downloads"),
            ({"expires_at": as_stored(datetime(9999, 12, 31, tzinfo=UTC))}, "expires_at"),
            ({"not_before": NOW, "expires_at": NOW}, "expires_at"),
            ({"referers": "example.org\nhttps://x"}, "referers"),
            ({"label": "x" * 256}, "label"),
            ({"paused": "perhaps"}, "paused"),
            ({"ask_first": "perhaps"}, "ask_first"),
        ],
    )
    def test_a_wrong_value_is_refused(self, limits: dict[str, Any], field: str) -> None:
        with pytest.raises(ValidationError) as caught:
            limited(limits)
        assert list(caught.value.message_dict) == [field]

    def test_a_limit_is_judged_with_those_that_the_link_has(self) -> None:
        with pytest.raises(ValidationError):
            limited({"expires_at": NOW}, not_before=NOW + DAY)

    def test_what_is_no_limit_is_a_mistake_of_the_caller(self) -> None:
        with pytest.raises(TypeError, match="code, downloads"):
            limited({"downloads": 0, "code": "abcd", "paused": True})


class TestCeilings:
    @pytest.mark.parametrize(
        ("groups", "life", "downloads"),
        [
            ([], None, None),
            (["unlimited"], None, None),
            (["guests"], DAY, 10),
            (["guests", "unlimited"], DAY, 10),
            (["guests", "friends"], timedelta(days=7), 10),
            (["guests", "staff"], None, 1000),
        ],
    )
    def test_the_most_generous_group_counts(
        self,
        groups: list[str],
        life: timedelta | None,
        downloads: int | None,
        settings: Settings,
        django_assert_num_queries: Any,
    ) -> None:
        settings.DIRECTLINKS = {"GROUP_LIMITS": GROUPS}
        user = member(*groups)
        with django_assert_num_queries(1):
            assert ceilings(user) == Ceilings(life, downloads)

    @pytest.mark.parametrize(("site", "expected"), [(3600, 3600), (86400 * 30, 86400 * 7)])
    def test_the_sites_own_holds_beside_that_of_the_group(
        self, site: int, expected: int, settings: Settings
    ) -> None:
        settings.DIRECTLINKS = {"GROUP_LIMITS": GROUPS, "MAX_LIFE": site}
        assert ceilings(member("friends")).life == timedelta(seconds=expected)

    @pytest.mark.parametrize("user", [None, object(), AnonymousUser()])
    def test_whoever_has_no_groups_has_the_sites(self, user: Any, settings: Settings) -> None:
        settings.DIRECTLINKS = {"GROUP_LIMITS": GROUPS, "MAX_LIFE": DAY}
        assert ceilings(user) == Ceilings(DAY, None)

    def test_a_site_that_limits_no_group_asks_nothing(self, django_assert_num_queries: Any) -> None:
        user = member("guests")
        with django_assert_num_queries(0):
            assert ceilings(user) == Ceilings(None, None)

    def test_limits_that_have_no_ceiling_ask_nothing(
        self, settings: Settings, django_assert_num_queries: Any
    ) -> None:
        settings.DIRECTLINKS = {"GROUP_LIMITS": GROUPS}
        user, link = member("guests"), DirectLinkFactory()
        with django_assert_num_queries(0):
            apply_limits(link, {"paused": True, "label": "x"}, user=user, now=NOW)

    @pytest.mark.parametrize(
        ("limits", "accepted"),
        [
            ({"expires_at": NOW + DAY}, True),
            ({"expires_at": NOW + DAY + timedelta(microseconds=1)}, False),
            ({"expires_at": None}, False),
            ({"max_downloads": 10}, True),
            ({"max_downloads": 11}, False),
            ({"max_downloads": None}, False),
            ({"paused": True}, True),
        ],
    )
    def test_nobody_goes_beyond_them(
        self, limits: dict[str, Any], accepted: bool, settings: Settings
    ) -> None:
        settings.DIRECTLINKS = {"GROUP_LIMITS": GROUPS}
        user = member("guests")
        if accepted:
            limited(limits, user=user)
            return
        with pytest.raises(ValidationError) as caught:
            limited(limits, user=user)
        assert list(caught.value.message_dict) == list(limits)

    def test_a_life_is_counted_from_when_the_link_was_made(self, settings: Settings) -> None:
        settings.DIRECTLINKS = {"MAX_LIFE": DAY}
        link = limited({})
        late = NOW + timedelta(hours=23)
        with pytest.raises(ValidationError, match="2026-05-05T12:00:00"):
            apply_limits(link, {"expires_at": late + DAY}, user=None, now=late)

    def test_a_link_that_is_yet_to_be_made_begins_now(self, settings: Settings) -> None:
        settings.DIRECTLINKS = {"MAX_LIFE": DAY}
        link = DirectLink()
        apply_limits(link, {"expires_at": NOW + DAY}, user=None, now=NOW)
        assert link.expires_at == NOW + DAY


class TestDefaults:
    @pytest.mark.parametrize(
        ("site", "groups", "expected"),
        [
            ({}, [], {}),
            ({"DEFAULT_LIFE": 60}, [], {"expires_at": NOW + timedelta(minutes=1)}),
            ({"MAX_LIFE": DAY}, [], {"expires_at": NOW + DAY}),
            ({"MAX_LIFE": DAY, "DEFAULT_LIFE": 60}, [], {"expires_at": NOW + timedelta(minutes=1)}),
            ({"MAX_LIFE": DAY, "DEFAULT_LIFE": DAY * 2}, [], {"expires_at": NOW + DAY}),
            (
                {"GROUP_LIMITS": GROUPS},
                ["guests"],
                {"expires_at": NOW + DAY, "max_downloads": 10},
            ),
            ({"GROUP_LIMITS": GROUPS}, ["staff"], {"max_downloads": 1000}),
        ],
    )
    def test_a_link_that_nobody_limits_has_the_sites_limits(
        self,
        site: dict[str, Any],
        groups: list[str],
        expected: dict[str, Any],
        settings: Settings,
    ) -> None:
        settings.DIRECTLINKS = site
        assert limits_of_new({}, user=member(*groups), now=NOW) == expected
