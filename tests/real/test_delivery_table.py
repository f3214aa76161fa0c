"""The table in docs/delivery.md is what a client sees at the end of a link.

To write it anew: ``DELIVERY_TABLE=docs/delivery.md pytest tests/real/test_delivery_table.py``.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urljoin

from tests.real.object_storage import rclone, site_on
from tests.real.servers import Server, gunicorn
from tests.real.sites import CHECKOUT, Site
from tests.real.visitors import Answer, ask, target_of, visit
from tests.real.web_servers import apache, nginx

PAGE = CHECKOUT / "docs" / "delivery.md"
BEGIN, END = "<!-- seen by the tests: begin -->\n", "<!-- seen by the tests: end -->\n"

SIXTEEN = b"0123456789abcdef"
STRANGE = "naïve 名前 %41.txt"
ASKING = "asking.txt"
NAMES = ("notes.txt", "photo.png", "page.html", STRANGE, "revoked.txt", "replaced.txt")
SECURITY = (
    "Content-Security-Policy",
    "Referrer-Policy",
    "X-Content-Type-Options",
    "X-Robots-Tag",
)


@dataclass(frozen=True, slots=True)
class Door:
    """A running site, and the URLs of links to files of SIXTEEN bytes, by the files' names."""

    site: Site
    links: Mapping[str, str]
    folder: str

    def get(self, name: str = "notes.txt", **headers: str) -> Answer:
        spelt = {header.replace("_", "-"): value for header, value in headers.items()}
        return visit("GET", self.links[name], spelt)


def told(answer: Answer) -> str:
    """Status, amount and part of an answer, the body of which is from the file or empty."""
    assert answer.body in SIXTEEN
    return f"{answer.status}, {len(answer.body)} bytes{part(answer)}"


def part(answer: Answer) -> str:
    content_range = answer.headers["Content-Range"]
    return "" if content_range is None else f", `{content_range}`"


def whole(door: Door) -> str:
    return told(door.get())


def head(door: Door) -> str:
    answer = visit("HEAD", door.links["notes.txt"])
    return f"{told(answer)}, `Content-Length: {answer.headers['Content-Length']}`"


def single_range(door: Door) -> str:
    return told(door.get(Range="bytes=2-5"))


def suffix_range(door: Door) -> str:
    return told(door.get(Range="bytes=-3"))


def unsatisfiable_range(door: Door) -> str:
    answer = door.get(Range="bytes=16-")
    return f"{answer.status}{part(answer)}"


def if_range(door: Door) -> str:
    etag = door.get().headers["ETag"]
    same = door.get(Range="bytes=2-5", If_Range=etag)
    other = door.get(Range="bytes=2-5", If_Range='"of another version"')
    return f"same version: {told(same)}; another: {told(other)}"


def if_none_match(door: Door) -> str:
    etag = door.get().headers["ETag"]
    return told(door.get(If_None_Match=etag))


def content_disposition(door: Door) -> str:
    shown, kept = door.get("photo.png"), door.get("page.html")
    asked = visit("GET", door.links["photo.png"].replace("/f/", "/f/d/"))
    answers = {"PNG": shown, "HTML": kept, "PNG by `/f/d/`": asked}
    return ", ".join(
        f"{what}: {answer.headers['Content-Disposition'].partition(';')[0]}"
        for what, answer in answers.items()
    )


def content_type(door: Door) -> str:
    return ", ".join(f"`{door.get(name).headers['Content-Type']}`" for name in NAMES[:2])


def security_headers(door: Door) -> str:
    def carried(answer: Answer) -> str:
        return f"{sum(header in answer.headers for header in SECURITY)} of {len(SECURITY)}"

    redirect = ask("GET", door.links["notes.txt"])
    assert all(header in redirect.headers for header in SECURITY[1:])
    refused = door.get(Range="bytes=16-")
    return f"{carried(door.get())}; with a 416: {carried(refused)}"


def revoked_link(door: Door) -> str:
    link = door.links["revoked.txt"]
    target = target_of(link)
    door.site.revoke(link)
    after = f"{ask('GET', link).status}"
    if target == link:
        return after
    return f"{after}; its target from before: {ask('GET', target).status}"


def replaced_content(door: Door) -> str:
    before = door.get("replaced.txt").headers["ETag"]
    door.site.replace_content(f"{door.folder}/replaced.txt", SIXTEEN[::-1])
    answer = door.get("replaced.txt")
    assert answer.body == SIXTEEN[::-1]
    assert answer.headers["ETag"] != before
    return "new bytes, new ETag"


def strange_name(door: Door) -> str:
    answer = door.get(STRANGE)
    disposition = answer.headers["Content-Disposition"]
    substitute = 'filename="naive _ _41.txt"'
    assert disposition == f"inline; {substitute}; filename*=utf-8''{quote(STRANGE)}"
    return f"{told(answer)}, `filename` and `filename*`"


def link_that_asks_first(door: Door) -> str:
    link = door.links[ASKING]
    asked, clicked = ask("GET", link), ask("POST", link)
    target = urljoin(link, clicked.headers["Location"])
    assert ask("GET", target).body == SIXTEEN
    resumed = ask("GET", target, headers={"Range": "bytes=2-5"})
    return f"{asked.status}; after a `POST`, {clicked.status}, `bytes=2-5`: {told(resumed)}"


ROWS: Mapping[str, Callable[[Door], str]] = {
    "`GET`": whole,
    "`HEAD`": head,
    "`Range: bytes=2-5`": single_range,
    "`Range: bytes=-3`": suffix_range,
    "`Range: bytes=16-`": unsatisfiable_range,
    "`If-Range`": if_range,
    "`If-None-Match`": if_none_match,
    "disposition": content_disposition,
    "type of text and PNG": content_type,
    "security headers": security_headers,
    "revoked link": revoked_link,
    "replaced content": replaced_content,
    "name beyond ASCII": strange_name,
    "link that asks first": link_that_asks_first,
}


def delivered_by(backend: str) -> str:
    """The setting that chooses ``backend``."""
    return (
        f'DIRECTLINKS = {{"DELIVERY": {{"BACKEND": "directlinks.delivery.backends.{backend}"}}}}\n'
    )


Front = Callable[[Site, Server], AbstractContextManager[Server]]


@contextmanager
def alone(site: Site, application: Server) -> Iterator[Server]:
    """The application without a server in front."""
    yield application


LOCAL: Mapping[str, tuple[str, Front]] = {
    "`SignedURLBackend`": ("signed_url.SignedURLBackend", alone),
    "`StreamBackend`": ("stream.StreamBackend", alone),
    "`AccelBackend`, nginx": ("web_server.AccelBackend", nginx),
    "`SendfileBackend`, Apache": ("web_server.SendfileBackend", apache),
}


def seen(site: Site, folder: str, front: Front) -> list[str]:
    """What a client of ``site`` behind ``front`` sees of new files in ``folder``."""
    paths = site.add_links({f"{folder}/{name}": SIXTEEN for name in NAMES})
    paths |= site.add_links({f"{folder}/{ASKING}": SIXTEEN}, "ask_first=True")
    with gunicorn(site) as application, front(site, application) as server:
        links = {name: server.origin + paths[f"{folder}/{name}"] for name in (*NAMES, ASKING)}
        door = Door(site, links, folder)
        return [see(door) for see in ROWS.values()]


def columns(site: Site) -> Iterator[tuple[str, list[str]]]:
    """Each backend, and what is seen in it."""
    for number, (title, (backend, front)) in enumerate(LOCAL.items()):
        folder = f"local{number}"
        yield title, seen(site.variant(folder, delivered_by(backend)), folder, front)
    with rclone(site.folder.parent / "s3") as storage:
        yield "`StorageURLBackend`, S3", seen(site_on(storage, site, "remote"), "remote", alone)


def markdown(titles: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [["", *titles], ["---" for _ in ("", *titles)], *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def test_the_page_shows_what_a_client_sees(public_site: Site, tmp_path: Path) -> None:
    titles, cells = zip(*columns(public_site), strict=True)
    rows = [(title, *row) for title, *row in zip(ROWS, *cells, strict=True)]
    page = PAGE.read_text()
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)

    now = f"{before}{BEGIN}{markdown(titles, rows)}{END}{after}"

    Path(os.environ.get("DELIVERY_TABLE", tmp_path / "delivery.md")).write_text(now)
    assert page == now, "Look at the difference; the module's docstring says how to accept it."
