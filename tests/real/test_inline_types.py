"""Each type that is shown inline, opened by itself in both browsers, through each delivery.

It plays and seeks, or it shows; and what could act is saved, not shown.
"""

import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from tests.pairs import pairwise
from tests.real import samples, web_servers
from tests.real.chromium import chromium_window
from tests.real.firefox import Firefox, firefox
from tests.real.servers import gunicorn
from tests.real.sites import Site
from tests.real.visitors import PATIENCE, visit

SAVED = {
    "page.html": b"<script>document.title = 'acted'</script>",
    "drawing.svg": b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
}
DELIVERIES = {
    "signed": ("signed_url.SignedURLBackend", None),
    "stream": ("stream.StreamBackend", None),
    "nginx": ("web_server.AccelBackend", web_servers.nginx),
    "apache": ("web_server.SendfileBackend", web_servers.apache),
}
Links = Mapping[str, str]


class Window(Protocol):
    """A window of a browser."""

    def open(self, url: str) -> None: ...
    def evaluate(self, expression: str) -> object: ...
    def pixel(self, x: int, y: int) -> bytes: ...
    def save(self, url: str) -> bytes: ...


BROWSERS: Mapping[str, Callable[[], AbstractContextManager[Window]]] = {
    "chromium": chromium_window,
    "firefox": firefox,
}


@pytest.fixture(scope="module")
def windows() -> Iterator[Mapping[str, Window]]:
    """A window of each browser."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(start()) for name, start in BROWSERS.items()}


@pytest.fixture(params=BROWSERS)
def window(request: pytest.FixtureRequest, windows: Mapping[str, Window]) -> Window:
    return windows[request.param]


@pytest.fixture(scope="module")
def paths(public_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Links:
    """The paths of links to all samples."""
    folder = tmp_path_factory.mktemp("samples")
    for name, data in {**samples.SHOWN, **SAVED}.items():
        Path(folder, name).write_bytes(data)
    public_site.manage("directlinks_add", "ada", str(folder))
    links = public_site.shell(
        "import json",
        "from directlinks.models import DirectLink, File",
        "links = [DirectLink.objects.create(file=file) for file in File.objects.all()]",
        "print(json.dumps({link.name: link.get_absolute_url() for link in links}))",
    )
    return dict(json.loads(links))


@pytest.fixture(scope="module")
def origins(public_site: Site) -> Iterator[Mapping[str, str]]:
    """Where the site is, by delivery."""
    with ExitStack() as stack:
        found = {}
        for delivery, (backend, front) in DELIVERIES.items():
            path = f"directlinks.delivery.backends.{backend}"
            settings = f'DIRECTLINKS = {{"DELIVERY": {{"BACKEND": "{path}"}}}}\n'
            site = public_site.variant(delivery, settings)
            server = stack.enter_context(gunicorn(site))
            if front is not None:
                server = stack.enter_context(front(site, server))
            found[delivery] = server.origin
        yield found


@pytest.fixture(params=DELIVERIES)
def links(request: pytest.FixtureRequest, origins: Mapping[str, str], paths: Links) -> Links:
    return {name: origins[request.param] + path for name, path in paths.items()}


def every_way(names: Collection[str]) -> pytest.MarkDecorator:
    """Open each of the files ``names`` in each browser, and by each delivery.

    What the deliveries say of a file is the same, as a test below shows.
    """
    return pairwise(
        window=list(BROWSERS),
        links=list(DELIVERIES),
        name=list(names),
        indirect=["window", "links"],
    )


def eventually(is_so: Callable[[], bool], what: str) -> None:
    give_up_at = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < give_up_at, what
        time.sleep(0.05)


def opened(window: Window, links: Links, name: str) -> None:
    """Open the file by itself, and make sure that it is what the window shows."""
    window.open(links[name])
    assert str(window.evaluate("location.pathname")).endswith(f"/{name}")


def play_and_seek(window: Window) -> None:
    """Play what the window has, and seek in it."""
    eventually(lambda: of_player(window, "readyState") >= 2, "The player is dead.")
    assert of_player(window, "duration") == pytest.approx(samples.SECONDS, abs=0.2)

    tell_player(window, "muted = true; player.play()")
    eventually(lambda: of_player(window, "currentTime") > 0, "It does not play.")

    tell_player(window, "pause(); player.currentTime = 1.5")
    eventually(lambda: of_player(window, "seeking") == 0, "It does not seek.")
    assert of_player(window, "currentTime") == pytest.approx(1.5, abs=0.1)


def of_player(window: Window, name: str) -> float:
    value = window.evaluate(f"Number(document.querySelector('video, audio').{name})")
    return float(str(value))


def tell_player(window: Window, what: str) -> None:
    window.evaluate(
        f"{{ const player = document.querySelector('video, audio'); player.{what}; 0 }}"
    )


@every_way(samples.SOUNDS_AND_FILMS)
def test_sounds_and_films_play_and_seek(name: str, links: Links, window: Window) -> None:
    if (name, type(window)) == ("sound.wav", Firefox):
        # The one type that Firefox plays on pages alone: opened by itself, it is saved.
        window.open("about:blank")
        assert window.save(links[name]) == samples.SHOWN[name]
        window.open(f"data:text/html,<audio src='{links[name]}'></audio>")
    else:
        opened(window, links, name)
    play_and_seek(window)


@every_way(samples.PICTURES)
def test_a_picture_is_shown_in_the_middle(name: str, links: Links, window: Window) -> None:
    opened(window, links, name)

    eventually(lambda: window.evaluate("document.images[0].naturalWidth") in (1, 64), "No picture.")
    # The viewer's own style is at work, which a policy can take away.
    left = window.evaluate("document.images[0].getBoundingClientRect().left > 100")
    assert left is True


def test_text_is_shown(links: Links, window: Window) -> None:
    opened(window, links, "notes.txt")

    assert str(window.evaluate("document.body.innerText")).strip() == samples.TEXT


def test_a_pdf_is_shown(links: Links, window: Window) -> None:
    opened(window, links, "paper.pdf")

    eventually(lambda: window.pixel(600, 400) == samples.RED, "No page of it is drawn.")


@every_way(SAVED)
def test_html_and_svg_are_saved_and_not_shown(name: str, links: Links, window: Window) -> None:
    window.open("about:blank")

    assert window.save(links[name]) == SAVED[name]
    assert window.evaluate("location.href") == "about:blank"


def test_each_delivery_says_the_same_of_a_document(
    origins: Mapping[str, str], paths: Links
) -> None:
    policies = {
        delivery: [
            visit("GET", origin + path).headers["Content-Security-Policy"]
            for path in paths.values()
        ]
        for delivery, origin in origins.items()
    }
    assert policies == dict.fromkeys(policies, policies["signed"])
