"""Links in a real browser: what it shows, what it saves, and what it lets pages of others read."""

import io
import wave
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Literal

import pytest
from playwright.sync_api import Browser, Frame, Page, Response
from playwright.sync_api import Error as BrowserError

from tests.real.chromium import chromium
from tests.real.servers import Server, gunicorn
from tests.real.sites import Site
from tests.real.visitors import log_in, put

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cf"
    "c0000003010100c9fe92ef0000000049454e44ae426082"
)
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
PDF = b"""%PDF-1.4
1 0 obj <</Type /Catalog /Pages 2 0 R>> endobj
2 0 obj <</Type /Pages /Kids [3 0 R] /Count 1>> endobj
3 0 obj <</Type /Page /Parent 2 0 R /MediaBox [0 0 99 99]>> endobj
trailer <</Root 1 0 R>>
"""


def an_hour_of_silence() -> bytes:
    """A sound so long that no player fetches it whole before it seeks."""
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8000)
        file.writeframes(b"\x80" * 8000 * 3600)
    return sound.getvalue()


CONTENTS = {
    "image.png": PNG,
    "paper.pdf": PDF,
    "drawing.svg": SVG,
    "page.html": b"<script>alert(1)</script>",
    "notes.txt": b"0123456789",
    "sound.wav": an_hour_of_silence(),
}

PLAYER = """<!doctype html><audio preload="metadata" src="{link}"></audio>"""
SEEK = """
() => new Promise((resolve, reject) => {
    const audio = document.querySelector("audio");
    audio.onerror = () => reject(audio.error.message);
    audio.onseeked = () => resolve([audio.duration, audio.currentTime]);
    const seek = () => { audio.currentTime = 3000; };
    audio.readyState >= 1 ? seek() : audio.onloadedmetadata = seek;
})
"""
FETCH = """
async link => {
    const answer = await fetch(link, {headers: {Range: "bytes=2-5"}});
    return [answer.status, answer.headers.get("Content-Range"), await answer.text()];
}
"""


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The origin of a site of somebody else's, and the folder of its pages."""
    folder = tmp_path_factory.mktemp("elsewhere")
    pages = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), pages) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", folder
        server.shutdown()


@pytest.fixture(scope="module")
def server(public_site: Site, elsewhere: tuple[str, Path]) -> Iterator[Server]:
    """The site, which lets pages of ``elsewhere`` read its links."""
    allowed = f'DIRECTLINKS = {{"CORS": ["{elsewhere[0]}"]}}\n'
    with gunicorn(public_site.variant("with_cors", allowed)) as server:
        yield server


@pytest.fixture(scope="module")
def links(public_site: Site, server: Server) -> dict[str, str]:
    """The URLs of links to CONTENTS."""
    folder = public_site.folder.parent / "files"
    folder.mkdir()
    for name, data in CONTENTS.items():
        (folder / name).write_bytes(data)
    public_site.manage("directlinks_add", "ada", str(folder))
    api = f"{server.origin}/api/v4/"
    answer = put(api, log_in(api, "ada"), [f"cloudreve://my/files/{name}" for name in CONTENTS])
    return {name: item["link"] for name, item in zip(CONTENTS, answer["data"], strict=True)}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context() as context:
        yield context.new_page()


@pytest.mark.parametrize("path", ["image.png", "notes.txt"])
def test_what_cannot_act_is_shown(page: Page, links: dict[str, str], path: str) -> None:
    answer = page.goto(links[path])

    assert answer is not None
    assert (answer.status, answer.body()) == (200, CONTENTS[path])
    assert "/f/t/" in page.url


def test_a_pdf_is_shown_by_the_browsers_viewer(page: Page, links: dict[str, str]) -> None:
    def is_viewer(frame: Frame) -> bool:
        return frame.url.startswith("chrome-extension://")

    with page.expect_event("framenavigated", is_viewer):
        answer = page.goto(links["paper.pdf"])

    assert answer is not None
    assert answer.headers["content-type"] == "application/pdf"


@pytest.mark.parametrize("path", ["drawing.svg", "page.html"])
def test_what_could_act_is_saved(page: Page, links: dict[str, str], path: str) -> None:
    with (
        page.expect_download() as download,
        pytest.raises(BrowserError, match="Download is starting"),
    ):
        page.goto(links[path])

    assert download.value.suggested_filename == path
    assert download.value.path().read_bytes() == CONTENTS[path]


@pytest.mark.parametrize("path", ["image.png", "paper.pdf", "notes.txt"])
def test_a_download_link_saves_what_would_be_shown(
    page: Page, links: dict[str, str], path: str
) -> None:
    with (
        page.expect_download() as download,
        pytest.raises(BrowserError, match="Download is starting"),
    ):
        page.goto(links[path].replace("/f/", "/f/d/"))

    assert download.value.suggested_filename == path
    assert download.value.path().read_bytes() == CONTENTS[path]


def test_a_player_on_a_page_of_another_origin_seeks(
    page: Page, links: dict[str, str], elsewhere: tuple[str, Path]
) -> None:
    origin, folder = elsewhere
    (folder / "player.html").write_text(PLAYER.format(link=links["sound.wav"]))
    starts: list[int] = []

    def note(answer: Response) -> None:
        part = answer.headers.get("content-range", "bytes 0-")
        starts.append(int(part.removeprefix("bytes ").partition("-")[0]))

    page.on("response", note)
    page.goto(f"{origin}/player.html")

    assert page.evaluate(SEEK) == [3600, 3000]
    assert max(starts) > 20_000_000, "It began in the middle without asking for a range there."


def test_a_page_of_an_allowed_origin_reads_a_range(
    page: Page, links: dict[str, str], elsewhere: tuple[str, Path]
) -> None:
    page.goto(f"{elsewhere[0]}/")

    assert page.evaluate(FETCH, links["notes.txt"]) == [206, "bytes 2-5/10", "2345"]


def test_a_page_of_another_origin_reads_nothing(
    page: Page, links: dict[str, str], elsewhere: tuple[str, Path]
) -> None:
    page.goto(elsewhere[0].replace("127.0.0.1", "localhost"))

    with pytest.raises(BrowserError, match="Failed to fetch"):
        page.evaluate(FETCH, links["notes.txt"])


@pytest.fixture(scope="module")
def guarded(public_site: Site) -> Iterator[str]:
    """A link with a password, on a site whose temporary addresses are of another origin."""
    settings = """
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
DIRECTLINKS = {"BASE_URL": "mysite.two_origins.base"}
def base(request):
    return f"http://localhost:{request.get_port()}"
"""
    hashers = '__import__("django.contrib.auth.hashers", fromlist=["make_password"])'
    password = f'password={hashers}.make_password("secret")'
    (path,) = public_site.add_links({"guarded.txt": b"opened"}, password).values()
    with gunicorn(public_site.variant("two_origins", settings)) as server:
        yield server.origin + path


def test_a_password_opens_a_link_that_leads_to_another_origin(page: Page, guarded: str) -> None:
    page.goto(guarded)
    page.get_by_label("Password").fill("secret")
    page.get_by_role("button", name="Open the file").click()
    page.wait_for_url("http://localhost:*/f/t/*/guarded.txt")
    assert page.inner_text("body") == "opened"

    # Also as a download, without asking once more.
    with (
        page.expect_download() as download,
        pytest.raises(BrowserError, match="Download is starting"),
    ):
        page.goto(guarded.replace("/f/", "/f/d/"))
    assert download.value.path().read_bytes() == b"opened"


def test_the_form_of_a_password_is_shown_in_no_frame(
    page: Page, guarded: str, elsewhere: tuple[str, Path]
) -> None:
    origin, folder = elsewhere
    (folder / "frame.html").write_text(f'<!doctype html><iframe src="{guarded}"></iframe>')
    page.goto(f"{origin}/frame.html")

    assert page.frames[1].url.startswith("chrome-error:")


@pytest.mark.parametrize(
    ("scheme", "ink"), [("light", "rgb(0, 0, 0)"), ("dark", "rgb(255, 255, 255)")]
)
def test_a_link_that_does_not_exist_is_a_page_for_people(
    browser: Browser, server: Server, scheme: Literal["light", "dark"], ink: str
) -> None:
    with browser.new_context(color_scheme=scheme) as context:
        page = context.new_page()
        answer = page.goto(f"{server.origin}/f/abcdefghijkl/notes.txt")
        heading = page.get_by_role("heading", level=1)
        assert heading.inner_text() == "This link does not work"
        assert heading.evaluate("heading => getComputedStyle(heading).color") == ink

    assert answer is not None
    assert answer.status == 404
