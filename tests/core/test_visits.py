"""What kind of visit a request is, by the shape of its request."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.http import parse_range_header

from directlinks.core.visits import (
    PREVIEW_AGENTS,
    Selection,
    VisitKind,
    VisitRequest,
    classify,
    if_range_matches,
    select_range,
)

SIZE = 100
SLACK = "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def kind_of(visit: VisitRequest) -> VisitKind:
    return classify(visit, size=SIZE, preview_agents=PREVIEW_AGENTS)


@pytest.mark.parametrize(
    ("visit", "kind"),
    [
        (VisitRequest("GET"), VisitKind.DOWNLOAD),
        (VisitRequest("GET", user_agent=FIREFOX), VisitKind.DOWNLOAD),
        (VisitRequest("GET", user_agent=""), VisitKind.DOWNLOAD),
        (VisitRequest("GET", "bytes=0-"), VisitKind.DOWNLOAD),
        (VisitRequest("GET", "bytes=0-2"), VisitKind.DOWNLOAD),
        (VisitRequest("GET", "bytes=-100"), VisitKind.DOWNLOAD),
        (VisitRequest("GET", "bytes=-1000"), VisitKind.DOWNLOAD),
        (VisitRequest("GET", "bytes=1-"), VisitKind.CONTINUATION),
        (VisitRequest("GET", "bytes=-99"), VisitKind.CONTINUATION),
        (VisitRequest("GET", "bytes=50-60"), VisitKind.CONTINUATION),
        (VisitRequest("GET", "bytes=97-"), VisitKind.CONTINUATION),
        (VisitRequest("GET", "bytes=100-"), VisitKind.CONTINUATION),
        # Players begin so, to see whether the server answers ranges.
        (VisitRequest("GET", "bytes=0-0"), VisitKind.PROBE),
        (VisitRequest("GET", "bytes=0-1"), VisitKind.PROBE),
        (VisitRequest("GET", "bytes=50-51"), VisitKind.PROBE),
        (VisitRequest("GET", "bytes=98-"), VisitKind.PROBE),
        (VisitRequest("GET", "bytes=-2"), VisitKind.PROBE),
        (VisitRequest("GET", "bytes=0-1", user_agent=SLACK), VisitKind.PREVIEW),
        # These are answered with the whole file.
        (VisitRequest("GET", "bytes=50-60,70-80"), VisitKind.DOWNLOAD),
        (VisitRequest("GET", "bytes=60-50"), VisitKind.DOWNLOAD),
        (VisitRequest("GET", "nonsense"), VisitKind.DOWNLOAD),
        (VisitRequest("GET", purposes=("prefetch",)), VisitKind.PREVIEW),
        (VisitRequest("GET", purposes=("prefetch;prerender",)), VisitKind.PREVIEW),
        (VisitRequest("GET", purposes=("Prefetch; anonymous-client-ip",)), VisitKind.PREVIEW),
        (VisitRequest("GET", purposes=(None, "preview")), VisitKind.PREVIEW),
        (VisitRequest("GET", purposes=("", "PRERENDER")), VisitKind.PREVIEW),
        (VisitRequest("GET", purposes=(None, "")), VisitKind.DOWNLOAD),
        (VisitRequest("GET", purposes=("navigate", "prefetcher")), VisitKind.DOWNLOAD),
        (VisitRequest("GET", user_agent=SLACK), VisitKind.PREVIEW),
        (VisitRequest("GET", user_agent="WHATSAPP/2.23"), VisitKind.PREVIEW),
        (VisitRequest("GET", "bytes=50-", user_agent=SLACK), VisitKind.PREVIEW),
        (VisitRequest("GET", "bytes=50-", purposes=("prefetch",)), VisitKind.PREVIEW),
        (VisitRequest("HEAD"), VisitKind.HEAD),
        (VisitRequest("HEAD", "bytes=50-", ("prefetch",), SLACK), VisitKind.HEAD),
    ],
)
def test_a_visit_is_classified(visit: VisitRequest, kind: VisitKind) -> None:
    assert kind_of(visit) == kind


@pytest.mark.parametrize("agent", PREVIEW_AGENTS)
def test_each_known_previewer_is_recognised_in_any_case(agent: str) -> None:
    assert (
        kind_of(VisitRequest("GET", user_agent=f"Mozilla/5.0 {agent.title()}/1.0"))
        == VisitKind.PREVIEW
    )


def test_the_previewers_are_an_argument() -> None:
    visit = VisitRequest("GET", user_agent="MyPreviewer/1.0")
    assert classify(visit, size=SIZE, preview_agents=["MYpreview"]) == VisitKind.PREVIEW
    assert classify(visit, size=SIZE, preview_agents=[]) == VisitKind.DOWNLOAD


CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0"

# As these programs send them; some are shortened where it makes no difference.
PREVIEWERS = """
    Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)
    Slack-ImgProxy (+https://api.slack.com/robots)
    Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)
    TelegramBot (like TwitterBot)
    WhatsApp/2.23.20.0
    WhatsApp/2
    facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)
    facebookexternalhit/1.1;line-poker/1.0
    facebookexternalhit/1.1; kakaotalk-scrap/1.0; +https://devtalk.kakao.com/t/scrap/33984
    meta-externalagent/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)
    Twitterbot/1.0
    LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)
    Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com
    MicrosoftPreview/2.0 +https://aka.ms/MicrosoftPreview
    Mattermost-Bot/1.1
    Synapse (bot; +https://github.com/matrix-org/synapse)
    Synapse/1.98.0
    matrix-media-repo
    Mozilla/5.0 (compatible; redditbot/1.0; +http://www.reddit.com/feedback)
    Mozilla/5.0 (compatible; Bluesky Cardyb/1.1; +mailto:support@bsky.app)
    Mozilla/5.0 (X11; Linux x86_64) {chrome} Safari/537.36 Rocket.Chat/7.0.0
    Mozilla/5.0 (compatible; ZulipURLPreview/9.0; +https://zulip.example.org)
    Mozilla/5.0 (Windows NT 10.0; Win64; x64) {chrome} Safari/537.36 Viber/22.2.0
    Mozilla/5.0 (compatible; Embedly/0.2; +http://support.embed.ly/)
    Iframely/1.3.1 (+https://iframely.com/docs/about)
    Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/534 (KHTML, like Gecko) BingPreview/1.0b
    Mozilla/5.0 (en-us) AppleWebKit/534.14 (KHTML, like Gecko; Google Web Preview) Safari/534
    Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)
    Mozilla/5.0 (X11) {chrome} Safari/537.36 Google (+https://developers.google.com/+/web/snippet/)
    Mozilla/5.0 (compatible; Google-InspectionTool/1.0;)
    DingTalkBot-LinkService/1.0 (+https://open-doc.dingtalk.com/microapp/faquestions/ftpfeu)
    Mozilla/5.0 (compatible; vkShare; +http://vk.com/dev/Share)
    Mozilla/5.0 (compatible; Pinterestbot/1.0; +https://www.pinterest.com/bot.html)
    http.rb/5.1.1 (Mastodon/4.2.0; +https://mastodon.social/)
    Lemmy/0.19.3; +https://lemmy.world
    Snap URL Preview Service; bot; snapchat; https://developers.snap.com/robots
    Discourse Forum Onebox v3.2
    Mozilla/5.0 (compatible; January/1.0; +https://gitlab.insrt.uk/revolt/january)
    Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)
    Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)
    Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)
    Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)
    Mozilla/5.0 (compatible; YandexImages/3.0; +http://yandex.com/bots)
    Sogou web spider/4.0(+http://www.sogou.com/docs/help/webmasters.htm#07)
    Mozilla/5.0 (compatible; archive.org_bot +http://archive.org/details/archive.org_bot)
    Mozilla/5.0 {chrome}; compatible; ChatGPT-User/1.0; +https://openai.com/bot
    Nextcloud Server Crawler
    DuckDuckBot/1.1; (+http://duckduckgo.com/duckduckbot.html)
"""

# Browsers, those inside of apps too, players and programs that download.
READERS = """
    Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0
    Mozilla/5.0 (Windows NT 10.0; Win64; x64) {chrome} Safari/537.36
    Mozilla/5.0 (Windows NT 10.0; Win64; x64) {chrome} Safari/537.36 Edg/126.0.0.0
    Mozilla/5.0 (Windows NT 10.0; Win64; x64) {chrome} Safari/537.36 OPR/112.0.0.0
    Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605 Version/17.5 Safari/605.1.15
    Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605 Mobile/15E Safari/604
    Mozilla/5.0 (Linux; Android 10; K) {chrome} Mobile Safari/537.36
    Mozilla/5.0 (Linux; Android 9; CUBOT_X18_Plus) {chrome} Mobile Safari/537.36
    Mozilla/5.0 (Linux; Android 13; CUBOT P80 Build/TP1A) {chrome} Mobile Safari/537.36
    Mozilla/5.0 (Linux; Android 14; SM-S911B; wv) {chrome} Mobile Safari/537.36 [FBAN/FB4A;]
    Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605 Mobile/15E Safari Line/14
    Mozilla/5.0 (Linux; Android 13; V2203) {chrome} Mobile Safari/537.36 AliApp(DingTalk/7.5.0)
    Mozilla/5.0 (Linux; Android 13; 2201123C) {chrome} Mobile Safari/537.36 MicroMessenger/8.0.49
    Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Rocket.Chat/4.0.0 Chrome/126 Electron/31
    Mozilla/5.0 (Macintosh) AppleWebKit/537.36 Slack/4.39.95 Chrome/126 Electron/31 Safari/537.36
    Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Mattermost/5.9.0 Chrome/126 Electron/31
    AppleCoreMedia/1.0.0.21A329 (iPhone; U; CPU OS 17_0 like Mac OS X; en_us)
    VLC/3.0.20 LibVLC/3.0.20
    Kodi/20.2 (X11; Linux x86_64) Ubuntu/22.04 App_Bitness/64 Version/20.2-Git:20230629
    Lavf/60.3.100
    mpv 0.38.0
    ExoPlayerDemo/2.19.1 (Linux;Android 13) ExoPlayerLib/2.19.1
    NSPlayer/12.00.22621.2506 WMFSDK/12.00.22621.2506
    iTunes/12.13 (Windows; Microsoft Windows 10 x64) AppleWebKit/7614
    Overcast/3.0 (+http://overcast.fm/; iOS podcast app)
    PodcastAddict/v5 (+https://podcastaddict.com/; Android podcast app)
    gPodder/3.11.4 (+http://gpodder.org/) Linux
    AntennaPod/3.4.0
    Spotify/8.9.40 Android/33 (SM-S911B)
    Roku/DVP-12.5 (12.5.0.4178-88)
    curl/8.5.0
    Wget/1.21.4
    aria2/1.37.0
    Axel/2.17.11 (Linux)
    python-requests/2.32.3
    Go-http-client/2.0
    okhttp/4.12.0
    Dalvik/2.1.0 (Linux; U; Android 13; Pixel 7 Build/TQ3A)
    Microsoft BITS/7.8
    FDM/6.22
    Transmission/4.0.5
    rclone/v1.66.0
    Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.22621.2506
"""


def agents(text: str) -> list[str]:
    return [line.strip().replace("{chrome}", CHROME) for line in text.strip().splitlines()]


@pytest.mark.parametrize(
    ("agent", "kind"),
    [
        *((agent, VisitKind.PREVIEW) for agent in agents(PREVIEWERS)),
        *((agent, VisitKind.DOWNLOAD) for agent in agents(READERS)),
    ],
)
def test_programs_that_draw_previews_are_told_from_those_of_readers(
    agent: str, kind: VisitKind
) -> None:
    assert kind_of(VisitRequest("GET", user_agent=agent)) == kind


@pytest.mark.parametrize("byte_range", ["bytes=0-", "bytes=5-", "bytes=-1"])
def test_an_empty_file_has_no_continuation(byte_range: str) -> None:
    visit = VisitRequest("GET", byte_range)
    assert classify(visit, size=0, preview_agents=()) == VisitKind.DOWNLOAD


@pytest.mark.parametrize("size", [1, 2])
def test_all_of_a_small_file_is_no_probe(size: int) -> None:
    visit = VisitRequest("GET", f"bytes=0-{size - 1}")
    assert classify(visit, size=size, preview_agents=()) == VisitKind.DOWNLOAD


@pytest.mark.parametrize(
    ("kind", "unlimited", "limited"),
    [
        (VisitKind.DOWNLOAD, True, True),
        (VisitKind.CONTINUATION, False, True),
        (VisitKind.PROBE, False, True),
        (VisitKind.PREVIEW, False, False),
        (VisitKind.HEAD, False, False),
    ],
)
def test_a_visit_counts(kind: VisitKind, unlimited: bool, limited: bool) -> None:
    assert kind.counts(limited=False) is unlimited
    assert kind.counts(limited=True) is limited


HUGE = 10**100
ETAG = '"a1b2"'
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"


def whole(size: int) -> Selection:
    return Selection(200, 0, size, size)


def unsatisfiable(size: int) -> Selection:
    return Selection(416, size, size, size)


@pytest.mark.parametrize(
    ("header", "size", "selection"),
    [
        (None, 10, whole(10)),
        ("bytes=0-0", 10, Selection(206, 0, 1, 10)),
        ("bytes=0-", 10, Selection(206, 0, 10, 10)),
        ("bytes=0-9", 10, Selection(206, 0, 10, 10)),
        ("bytes=2-5", 10, Selection(206, 2, 6, 10)),
        ("bytes=9-9", 10, Selection(206, 9, 10, 10)),
        ("bytes=9-", 10, Selection(206, 9, 10, 10)),
        ("bytes=-1", 10, Selection(206, 9, 10, 10)),
        ("bytes=-10", 10, Selection(206, 0, 10, 10)),
        ("bytes=-11", 10, Selection(206, 0, 10, 10)),
        ("bytes=5-10", 10, Selection(206, 5, 10, 10)),
        ("bytes=0000-0001", 10, Selection(206, 0, 2, 10)),
        ("BYTES=0-1", 10, Selection(206, 0, 2, 10)),
        ("bytes= \t0-1 \t", 10, Selection(206, 0, 2, 10)),
        ("bytes=0-0", 1, Selection(206, 0, 1, 1)),
        # No byte of the file is asked for.
        ("bytes=10-", 10, unsatisfiable(10)),
        ("bytes=10-12", 10, unsatisfiable(10)),
        ("bytes=-0", 10, unsatisfiable(10)),
        # A range that ends before it begins is no range.
        ("bytes=5-2", 10, whole(10)),
        ("bytes=20-19", 10, whole(10)),
        # An empty file has no range to give.
        ("bytes=0-0", 0, whole(0)),
        ("bytes=0-", 0, whole(0)),
        ("bytes=-1", 0, whole(0)),
        ("bytes=-0", 0, whole(0)),
        # Numbers beyond every file.
        (f"bytes=0-{HUGE}", 10, Selection(206, 0, 10, 10)),
        (f"bytes={HUGE}-", 10, unsatisfiable(10)),
        (f"bytes=-{HUGE}", 10, Selection(206, 0, 10, 10)),
        (f"bytes={2**63}-{2**64}", 10, unsatisfiable(10)),
        ("bytes=0-" + "9" * 120, 10, Selection(206, 0, 10, 10)),
        # Numbers that Python would not even convert.
        ("bytes=0-" + "9" * 121, 10, whole(10)),
        ("bytes=" + "9" * 5000 + "-", 10, whole(10)),
    ],
)
def test_a_range_selects(header: str | None, size: int, selection: Selection) -> None:
    assert select_range(header, size) == selection


@pytest.mark.parametrize(
    "header",
    [
        "bytes=0-1,3-4",
        "bytes=0-0,0-0",
        "bytes=0-1, -1",
        "bytes=0-,5-2",
        "bytes=" + ",".join(["0-9"] * 10),
        "bytes=" + ",".join(["0-9"] * 200),
        "bytes=" + ",".join(f"{first}-" for first in range(200)),
    ],
)
def test_several_ranges_select_everything(header: str) -> None:
    assert select_range(header, 1000) == whole(1000)


@pytest.mark.parametrize(
    "header",
    [
        "",
        " ",
        "-",
        "0-1",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=,",
        "bytes=1",
        "bytes=a-b",
        "bytes 0-1",
        "bytes =0-1",
        "bytes: 0-1",
        "items=0-1",
        "xbytes=0-1",
        "bytes=--1",
        "bytes=-1-",
        "bytes=1-2-3",
        "bytes=0 - 1",
        "bytes=0x0-0x1",
        "bytes=+0-1",
        "bytes=0_0-1",
        "bytes=0.0-1",
        "bytes=1e0-2",
        "bytes=\u0660-\u0661",
        "bytes=²-³",
        "bytes=0-1\n",
        "bytes=\n0-1",
        "bytes=0-1;",
        "bytes=0-1/10",
        "bytes=*",
        "none",
    ],
)
def test_nonsense_selects_everything(header: str) -> None:
    assert select_range(header, 10) == whole(10)


def test_a_range_from_first_to_last_selects_what_a_slice_holds() -> None:
    for first, last, size in product(range(7), range(7), range(1, 6)):
        content = bytes(range(size))
        selection = select_range(f"bytes={first}-{last}", size)
        wanted = content if last < first else content[first : last + 1]
        assert content[selection.start : selection.stop] == wanted
        assert selection.status == (200 if last < first else 206 if wanted else 416)


def test_a_range_without_an_end_selects_what_a_slice_holds() -> None:
    for first, size in product(range(7), range(1, 6)):
        content = bytes(range(size))
        selection = select_range(f"bytes={first}-", size)
        assert content[selection.start : selection.stop] == content[first:]
        assert selection.status == (206 if content[first:] else 416)


def test_a_suffix_selects_what_a_slice_holds() -> None:
    for suffix, size in product(range(1, 7), range(1, 6)):
        content = bytes(range(size))
        selection = select_range(f"bytes=-{suffix}", size)
        assert content[selection.start : selection.stop] == content[-suffix:]
        assert selection.status == 206


SIZES = st.integers(1, 2**63)


@given(SIZES, st.data())
def test_a_satisfiable_range_selects_what_werkzeug_selects(size: int, data: st.DataObject) -> None:
    """Only satisfiable single ranges are drawn, suffixes no longer than the file.

    For all else werkzeug's ``range_for_length`` answers None: for several ranges, for what cannot
    be satisfied and, against RFC 9110, for a suffix longer than the file. The tables above hold
    those.
    """
    first = data.draw(st.integers(0, size - 1))
    last = data.draw(st.integers(first, 2 * size))
    suffix = data.draw(st.integers(1, size))
    header = data.draw(
        st.sampled_from([f"bytes={first}-{last}", f"bytes={first}-", f"bytes=-{suffix}"])
    )
    parsed = parse_range_header(header)
    assert parsed is not None
    selection = select_range(header, size)
    assert selection.status == 206
    assert (selection.start, selection.stop) == parsed.range_for_length(size)
    assert selection.content_range == parsed.make_content_range(size).to_header()  # type: ignore[union-attr]  # None only where it cannot be satisfied


@given(
    st.text(st.characters(), max_size=200)
    | st.lists(st.sampled_from([*"0123456789-,= \t", "bytes", "bytes="]), max_size=12).map("".join),
    st.integers(0, 20),
)
def test_no_header_selects_bytes_that_are_not_there(header: str, size: int) -> None:
    for text in (header, f"bytes={header}"):
        selection = select_range(text, size)
        assert selection.size == size
        assert 0 <= selection.start <= selection.stop <= size
        assert selection.status in (200, 206, 416)
        assert (selection.length == 0) == (selection.status == 416 or size == 0)


@pytest.mark.parametrize(
    ("selection", "length", "content_range"),
    [
        (Selection(200, 0, 10, 10), 10, None),
        (Selection(206, 2, 6, 10), 4, "bytes 2-5/10"),
        (Selection(206, 0, 1, 1), 1, "bytes 0-0/1"),
        (Selection(416, 10, 10, 10), 0, "bytes */10"),
    ],
)
def test_a_selection_says_what_it_holds(
    selection: Selection, length: int, content_range: str | None
) -> None:
    assert (selection.length, selection.content_range) == (length, content_range)


@pytest.mark.parametrize("if_range", [None, ETAG, DATE, f" {ETAG} ", f"{DATE}\t"])
def test_a_resumed_download_goes_on_where_the_content_is_the_same(if_range: str | None) -> None:
    assert if_range_matches(if_range, etag=ETAG, last_modified=DATE) is True


@pytest.mark.parametrize(
    "if_range",
    [
        "",
        '"other"',
        "a1b2",
        f"W/{ETAG}",  # only a strong tag promises the same bytes
        f'{ETAG}, "other"',
        "*",
        "Sun, 06 Nov 1994 08:49:38 GMT",
        "Sun, 06 Nov 1994 08:49:36 GMT",
        "nonsense",
    ],
)
def test_a_resumed_download_begins_anew_where_it_may_be_another(if_range: str) -> None:
    assert if_range_matches(if_range, etag=ETAG, last_modified=DATE) is False
