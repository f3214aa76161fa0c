"""A link for one download gives its file once, to whoever comes for it, and to nothing else."""

from collections.abc import Iterator
from typing import Any

import pytest
from allpairspy import AllPairs
from pytest_django.fixtures import Settings

from directlinks.contrib.fastlane.response_cache import clear
from directlinks.core.visits import PREVIEW_AGENTS
from directlinks.models import DirectLink, File
from tests.delivery.buckets import SigningBucket
from tests.delivery.downloads import delivery
from tests.factories import DirectLinkFactory
from tests.pairs import pairwise
from tests.security.asking import every_door
from tests.serving.doors import DOORS, Door, Seen
from tests.serving.notebook import NOTEBOOK, Notebook

pytestmark = pytest.mark.django_db

DATA = b"for one reader alone"
FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}

DELIVERIES = [
    "signed_url.SignedURLBackend",
    "stream.StreamBackend",
    "web_server.AccelBackend",
    "web_server.SendfileBackend",
    "a bucket",
    "a bucket that signs",
]
SETTINGS: list[dict[str, Any]] = [
    {},
    {"CACHE_SECONDS": 60, "REDIRECT_MAX_AGE": 60},
    {"COUNTER": NOTEBOOK, "CORS": "*"},
    {"COUNTER": NOTEBOOK, "CACHE_SECONDS": 60},
]

# Who looks at a link before somebody opens it.
BEFORE: list[tuple[str, dict[str, str]]] = [
    *(
        ("GET", {"User-Agent": f"Mozilla/5.0 (compatible; {agent}/1.0)"})
        for agent in PREVIEW_AGENTS[::10]  # tests/core/test_visits.py has each of them
    ),
    ("GET", {"User-Agent": "Slackbot 1.0", "Range": "bytes=0-1023"}),
    ("GET", {"User-Agent": "Slackbot 1.0", "Range": "bytes=3-"}),
    ("GET", {**FIREFOX, "Sec-Purpose": "prefetch"}),
    ("GET", {**FIREFOX, "Sec-Purpose": "prefetch;prerender"}),
    ("GET", {**FIREFOX, "Sec-Purpose": "prefetch", "Range": "bytes=3-"}),
    ("GET", {**FIREFOX, "Purpose": "prefetch"}),
    ("GET", {**FIREFOX, "X-Purpose": "preview"}),
    ("GET", {**FIREFOX, "X-Moz": "prefetch"}),
    ("HEAD", {}),
    ("HEAD", FIREFOX),
    ("HEAD", {"Range": "bytes=3-"}),
    ("HEAD", {"User-Agent": "Slackbot 1.0"}),
    ("HEAD", {**FIREFOX, "Sec-Purpose": "prefetch"}),
    ("OPTIONS", FIREFOX),
    ("POST", FIREFOX),
    ("PUT", FIREFOX),
    ("DELETE", FIREFOX),
]

# Whatever else a request may say that has to do with which bytes it gets.
RANGES = [
    None,
    "bytes=0-",
    "bytes=0-1",
    "bytes=3-",
    "bytes=-3",
    "bytes=0-0,5-9",
    "bytes=99-",
    "items=0-",
    "x",
]
CONDITIONS: list[dict[str, str]] = [
    {},
    {"If-None-Match": "*"},
    {"If-None-Match": '"x"'},
    {"If-Match": '"x"'},
    {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"},
    {"If-Range": '"x"'},
]


@pytest.fixture(autouse=True)
def _nothing_is_known() -> Iterator[None]:
    clear()
    Notebook.counted.clear()
    yield
    clear()


@pytest.fixture(params=DELIVERIES)
def delivered(
    request: pytest.FixtureRequest, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> str:
    """By which delivery the site brings its files to visitors."""
    if "bucket" in request.param:
        kind = "signing_bucket" if "signs" in request.param else "bucket"
        request.getfixturevalue(kind)
    else:
        settings.DIRECTLINKS = delivery(request.param)
    return str(request.param)


def downloads(link: DirectLink) -> int:
    return DirectLink.objects.values_list("downloads", flat=True).get(pk=link.pk)


def gives_bytes(door: Door, seen: Seen, method: str = "GET") -> bool:
    """Whether ``seen``, the answer to a request by ``method``, can be made into bytes."""
    if "location" not in seen.headers:
        if {"x-accel-redirect", "x-sendfile"} & set(seen.headers):
            return method != "HEAD"  # to which a web server sends no bytes either
        return seen.status in (200, 206) and seen.body != b""
    location = seen.headers["location"]
    if location.startswith("/"):
        return door(location).status in (200, 206)
    storage = File._meta.get_field("content").storage
    if isinstance(storage, SigningBucket):
        return not storage.wishes[int(location.rpartition("=")[2]) - 1].head_only
    return True


class TestALinkForOneDownload:
    @pairwise(door=DOORS, delivered=DELIVERIES, chosen=SETTINGS, indirect=["delivered"])
    def test_previews_and_other_methods_do_not_use_up_the_download(
        self, door: Door, chosen: dict[str, Any], delivered: str, settings: Settings
    ) -> None:
        settings.DIRECTLINKS = {**getattr(settings, "DIRECTLINKS", {}), **chosen}
        link = DirectLinkFactory(max_downloads=1, file__data=DATA)
        path = link.get_absolute_url()
        for method, headers in BEFORE:
            assert not gives_bytes(door, door(path, method, headers), method)
            assert downloads(link) == 0
        assert gives_bytes(door, door(path, headers=FIREFOX))
        assert downloads(link) == 1
        for method, headers in (("GET", FIREFOX), ("GET", {"Range": "bytes=3-"}), *BEFORE):
            seen = door(path, method, headers)
            assert method not in ("GET", "HEAD") or seen.status == 410
            assert not gives_bytes(door, seen, method)
        assert downloads(link) == 1
        assert Notebook.counted == []  # which is for links without a limit

    @every_door
    def test_the_target_gives_the_file_and_can_be_resumed(self, door: Door) -> None:
        link = DirectLinkFactory(max_downloads=1, file__data=DATA)
        target = door(link.get_absolute_url(), headers=FIREFOX).headers["location"]
        # A broken download is resumed at the target, which is good for no other link.
        assert door(target, headers={"Range": "bytes=4-"}).body == DATA[4:]
        assert door(target).body == DATA

    @every_door
    def test_no_range_or_condition_gets_bytes_uncounted(self, door: Door, delivered: str) -> None:
        link = DirectLinkFactory(max_downloads=1, file__data=DATA)
        path = link.get_absolute_url()
        for method, byte_range, condition in AllPairs([["GET", "HEAD"], RANGES, CONDITIONS]):
            headers = condition if byte_range is None else {**condition, "Range": byte_range}
            seen = door(path, method, headers)
            is_given = gives_bytes(door, seen, method)
            # An answer without the bytes may be counted where a web server decides what to send.
            assert downloads(link) >= is_given, (method, headers)
            assert method == "GET" or downloads(link) == 0, (method, headers)
            DirectLink.objects.filter(pk=link.pk).update(downloads=0)

    @pairwise(
        door=DOORS, delivered=DELIVERIES, part=["bytes=3-", "bytes=0-1"], indirect=["delivered"]
    )
    def test_a_range_uses_up_the_download(self, door: Door, delivered: str, part: str) -> None:
        link = DirectLinkFactory(max_downloads=1, file__data=DATA)
        path = link.get_absolute_url()
        assert gives_bytes(door, door(path, headers={"Range": part}))
        for byte_range in ("bytes=0-", "bytes=3-", "bytes=-1"):
            assert door(path, headers={"Range": byte_range}).status == 410
        assert downloads(link) == 1


@every_door
def test_the_ranges_of_one_playback_are_one_download(
    door: Door, delivered: str, settings: Settings
) -> None:
    settings.DIRECTLINKS = {**getattr(settings, "DIRECTLINKS", {}), "CACHE_SECONDS": 60}
    link = DirectLinkFactory(file__data=DATA)
    for part in ("bytes=0-1", "bytes=0-0", "bytes=0-99", "bytes=5-"):
        assert gives_bytes(door, door(link.get_absolute_url(), headers={"Range": part}))
    assert downloads(link) == 1
