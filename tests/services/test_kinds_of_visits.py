"""What kind of visit a request is, remembered for requests that are common."""

import pytest

from directlinks.core.visits import VisitKind, VisitRequest
from directlinks.services.opening import _is_download, _kind, is_download, is_plain, kind_of

LONG = "x" * 513


@pytest.fixture(autouse=True)
def _nothing_is_known() -> None:
    _kind.cache_clear()
    _is_download.cache_clear()


def remembered() -> int:
    return int(_kind.cache_info().currsize + _is_download.cache_info().currsize)


@pytest.mark.parametrize(
    ("visit", "kind"),
    [
        (VisitRequest("GET", user_agent=LONG), VisitKind.DOWNLOAD),
        (VisitRequest("GET", user_agent=f"{LONG} Slackbot"), VisitKind.PREVIEW),
        (VisitRequest("GET", purposes=(None, f"prefetch {LONG}")), VisitKind.PREVIEW),
        (VisitRequest("GET", byte_range=f"bytes=5-{LONG}"), VisitKind.DOWNLOAD),
        (VisitRequest("GET", referer=LONG), VisitKind.DOWNLOAD),
        (VisitRequest(LONG), VisitKind.DOWNLOAD),
    ],
)
def test_what_only_fills_the_memory_is_judged_and_forgotten(
    visit: VisitRequest, kind: VisitKind
) -> None:
    assert kind_of(visit, 10) is kind
    assert remembered() == 0


@pytest.mark.parametrize(("agent", "counts"), [(LONG, True), (f"{LONG} Slackbot", False)])
def test_a_long_user_agent_is_judged_and_forgotten(agent: str, counts: bool) -> None:
    assert is_download(agent) is counts
    assert remembered() == 0


def test_what_is_common_is_judged_once() -> None:
    for _ in range(3):
        assert is_download("curl/8")
        assert is_plain(VisitRequest("GET", user_agent="curl/8"))
    assert remembered() == 2
