"""What kind of look a visit is, remembered for looks that are common."""

import pytest

from directlinks.core.visits import Look, Visit
from directlinks.services.opening import _is_download, _kind, is_download, is_plain, kind_of

LONG = "x" * 513


@pytest.fixture(autouse=True)
def _nothing_is_known() -> None:
    _kind.cache_clear()
    _is_download.cache_clear()


def remembered() -> int:
    return int(_kind.cache_info().currsize + _is_download.cache_info().currsize)


@pytest.mark.parametrize(
    ("look", "kind"),
    [
        (Look("GET", user_agent=LONG), Visit.DOWNLOAD),
        (Look("GET", user_agent=f"{LONG} Slackbot"), Visit.PREVIEW),
        (Look("GET", purposes=(None, f"prefetch {LONG}")), Visit.PREVIEW),
        (Look("GET", byte_range=f"bytes=5-{LONG}"), Visit.DOWNLOAD),
        (Look("GET", referer=LONG), Visit.DOWNLOAD),
        (Look(LONG), Visit.DOWNLOAD),
    ],
)
def test_what_only_fills_the_memory_is_judged_and_forgotten(look: Look, kind: Visit) -> None:
    assert kind_of(look, 10) is kind
    assert remembered() == 0


@pytest.mark.parametrize(("agent", "counts"), [(LONG, True), (f"{LONG} Slackbot", False)])
def test_so_is_a_long_name_of_a_program(agent: str, counts: bool) -> None:
    assert is_download(agent) is counts
    assert remembered() == 0


def test_what_is_common_is_judged_once() -> None:
    for _ in range(3):
        assert is_download("curl/8")
        assert is_plain(Look("GET", user_agent="curl/8"))
    assert remembered() == 2
