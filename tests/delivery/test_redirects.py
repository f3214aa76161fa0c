"""For how long a redirect may be kept."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from directlinks.datetimes import as_stored
from directlinks.delivery.responses import build_redirect
from tests.delivery.downloads import download

NOW = as_stored(datetime(2026, 11, 23, 12, tzinfo=UTC))
clocks = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # bounds have no zone
lives = st.none() | st.timedeltas(timedelta(0), timedelta(days=2))


def cache_control(
    max_age: int,
    *,
    now: datetime = NOW,
    expires_in: timedelta | None = None,
    ends_in: timedelta | None = None,
    **facts: Any,
) -> str:
    link = download(until=None if ends_in is None else now + ends_in, **facts)
    with override_settings(DIRECTLINKS={"REDIRECT_MAX_AGE": max_age}):
        reply = build_redirect(
            "https://x.example/",
            link,
            expires_in=None if expires_in is None else expires_in.total_seconds(),
            now=now,
        )
    return reply.headers["Cache-Control"]


@given(now=clocks, max_age=st.integers(0, 200_000), expires_in=lives, ends_in=lives)
def test_it_is_never_kept_beyond_its_target_its_link_or_the_setting(
    now: datetime, max_age: int, expires_in: timedelta | None, ends_in: timedelta | None
) -> None:
    shown = cache_control(max_age, now=now, expires_in=expires_in, ends_in=ends_in)
    ends = [end for end in (timedelta(seconds=max_age), expires_in, ends_in) if end is not None]
    match = re.fullmatch(r"public, max-age=([1-9][0-9]*)", shown)
    kept = timedelta(seconds=int(match[1]) if match else 0)
    # As long as allowed, to the second, and not longer.
    assert min(ends) - timedelta(seconds=1) < kept <= min(ends)
    assert match is not None or shown == "private, no-store"


def test_where_a_process_may_remember_it_that_time_is_left_out() -> None:
    with override_settings(
        DIRECTLINKS={"REDIRECT_MAX_AGE": 3600, "CACHE_SECONDS": 30, "TARGET_SECONDS": 600}
    ):
        reply = build_redirect("https://x.example/", download(), expires_in=600, now=NOW)
    assert reply.headers["Cache-Control"] == "public, max-age=570"


@given(
    max_age=st.integers(0, 200_000),
    expires_in=lives,
    ends_in=lives,
    odd=st.sets(st.sampled_from(["limited", "guarded", "head_only"]), min_size=1),
)
def test_a_limited_or_guarded_link_and_a_head_are_not_kept_at_all(
    max_age: int, expires_in: timedelta | None, ends_in: timedelta | None, odd: set[str]
) -> None:
    facts: dict[str, Any] = dict.fromkeys(odd, True)
    shown = cache_control(max_age, expires_in=expires_in, ends_in=ends_in, **facts)
    assert shown == "private, no-store"


@pytest.mark.parametrize("expires_in", [None, timedelta(hours=1)])
def test_nothing_is_kept_unless_the_site_says_so(expires_in: timedelta | None) -> None:
    assert cache_control(0, expires_in=expires_in) == "private, no-store"
    assert cache_control(60, expires_in=expires_in) == "public, max-age=60"


def test_it_is_an_empty_302_that_nobody_indexes() -> None:
    response = build_redirect(
        "https://x.example/a", download(), expires_in=None, now=NOW
    ).response()
    assert (response.status_code, response.content) == (302, b"")
    assert dict(response.headers) == {
        "Location": "https://x.example/a",
        "Content-Length": "0",
        "Cache-Control": "private, no-store",
        "Vary": "Accept, Accept-Language",
        "X-Robots-Tag": "noindex, nofollow",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
