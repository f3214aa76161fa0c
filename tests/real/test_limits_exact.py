"""A limit of downloads is kept to the last one, through each door, however many come at once."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from urllib.parse import urljoin

import pytest

from directlinks.core.visits import PREVIEW_AGENTS
from tests.real.databases import own_database
from tests.real.servers import Server, gunicorn, uvicorn
from tests.real.sites import DOCUMENTED_SETTINGS, Site, new_site
from tests.real.visitors import all_at_once, ask

MIDDLEWARE = (
    'MIDDLEWARE.insert(0, "directlinks.contrib.fastlane.middleware.DirectLinksMiddleware")\n'
)

WRAPPED = """
from directlinks.{name} import get_{name}_application
in_front = get_{name}_application()
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """With both wrappers at hand, on the database of DATABASE_URL."""
    media = 'MEDIA_ROOT = BASE_DIR / "media"\n'
    folder = tmp_path_factory.mktemp("limits") / "project"
    site = new_site(folder, settings=DOCUMENTED_SETTINGS + media)
    for name in ("wsgi", "asgi"):
        site.append(f"mysite/{name}.py", WRAPPED.format(name=name))
    with own_database(site) as site:
        site.add_user("ada")
        yield site


@dataclass(frozen=True, slots=True)
class Door:
    site: Site
    server: Server


DOORS: dict[str, Callable[[Site], AbstractContextManager[Server]]] = {
    "view": lambda site: gunicorn(site, workers=2, threads=8),
    "middleware": lambda site: gunicorn(site, workers=2, threads=8),
    "wsgi": lambda site: gunicorn(site, workers=2, threads=8, application="mysite.wsgi:in_front"),
    "asgi": lambda site: uvicorn(site, application="mysite.asgi:in_front"),
}


@pytest.fixture(scope="module", params=DOORS)
def door(request: pytest.FixtureRequest, site: Site) -> Iterator[Door]:
    settings = MIDDLEWARE if request.param == "middleware" else ""
    behind = site.variant(f"through_{request.param}", settings)
    with DOORS[request.param](behind) as server:
        yield Door(behind, server)


def limited_links(door: Door, number: int, most: int, *, ask_first: bool = False) -> list[str]:
    """Return the URLs of ``number`` new links for ``most`` downloads each."""
    name = f"{door.site.settings_module}/{most}"
    contents = {f"{name}/{n}.txt": b"data" for n in range(number)}
    limits = f"max_downloads={most}, ask_first={ask_first}"
    paths = door.site.add_links(contents, limits).values()
    return [door.server.origin + path for path in paths]


def downloads_of(door: Door, urls: list[str]) -> list[int]:
    codes = [url.split("/")[4] for url in urls]
    downloads = door.site.shell(
        "from directlinks.models import DirectLink",
        f"links = DirectLink.objects.in_bulk({codes!r}, field_name='code')",
        f"print(*(links[code].downloads for code in {codes!r}))",
    )
    return [int(number) for number in downloads.split()]


def test_one_of_fifty_gets_a_link_for_one(door: Door) -> None:
    urls = limited_links(door, number=5, most=1)
    for url in urls:
        answers = all_at_once(lambda url: ask("GET", url), [url] * 50)
        assert Counter(answer.status for answer in answers) == {302: 1, 410: 49}
    assert downloads_of(door, urls) == [1] * 5


def test_a_thousand_get_a_link_for_a_thousand(door: Door) -> None:
    (url,) = limited_links(door, number=1, most=1000)

    def visit_to_the_end(url: str) -> Counter[int]:
        statuses: Counter[int] = Counter()
        while not statuses[410]:
            statuses[ask("GET", url).status] += 1
        return statuses

    visits = all_at_once(visit_to_the_end, [url] * 16)
    assert sum(visits, Counter()) == {302: 1000, 410: 16}
    assert downloads_of(door, [url]) == [1000]


def test_three_of_twenty_who_press_the_button_at_once_get_the_file(door: Door) -> None:
    (url,) = limited_links(door, number=1, most=3, ask_first=True)
    looks = [{"User-Agent": f"{agent}/1.0"} for agent in PREVIEW_AGENTS[:25]]
    looks += [{"Accept": "text/html"}] * 25
    seen = all_at_once(lambda headers: ask("GET", url, headers=headers), looks)
    assert Counter(answer.status for answer in seen) == {428: 50}
    assert downloads_of(door, [url]) == [0]

    clicks = all_at_once(lambda url: ask("POST", url), [url] * 20)
    assert Counter(answer.status for answer in clicks) == {303: 3, 410: 17}
    locations = [click.headers["Location"] for click in clicks if click.status == 303]
    targets = [urljoin(url, location) for location in locations]
    assert [ask("GET", target).body for target in targets] == [b"data"] * 3
    assert downloads_of(door, [url]) == [3]
