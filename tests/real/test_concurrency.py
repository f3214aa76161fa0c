"""Many at once, on the database settings that ``startproject`` writes: plain SQLite."""

import json
from collections.abc import Iterator

import pytest

from tests.real.servers import Server, gunicorn
from tests.real.sites import Site
from tests.real.visitors import all_at_once, ask, log_in, put

URIS = [f"cloudreve://my/notes/{number}.txt" for number in range(300)]


@pytest.fixture(scope="module")
def notes(site: Site) -> Site:
    """The site with 300 small files of ada's."""
    folder = site.folder.parent / "notes"
    folder.mkdir()
    for number in range(300):
        (folder / f"{number}.txt").write_text(f"note {number}")
    site.manage("directlinks_add", "ada", str(folder))
    return site


@pytest.fixture(scope="module")
def server(notes: Site) -> Iterator[Server]:
    with gunicorn(notes, workers=2, threads=4) as server:
        yield server


def a_link(site: Site, number: int, limits: str = "") -> str:
    """The path of a new link to the file with this number."""
    return site.shell(
        "from directlinks.models import DirectLink, File",
        f'file = File.objects.get(path="notes/{number}.txt")',
        f"print(DirectLink.objects.create(file=file, {limits}).get_absolute_url())",
    )


def test_overlapping_batches_all_succeed_and_agree(notes: Site, server: Server) -> None:
    api = f"{server.origin}/api/v4/"
    token = log_in(api, "ada")
    around = URIS + URIS
    batches = [around[start : start + 100] for start in range(0, 400, 50)]

    answers = all_at_once(lambda batch: put(api, token, batch), batches)

    assert [answer["code"] for answer in answers] == [0] * 8
    for batch, answer in zip(batches, answers, strict=True):
        assert [item["file_url"] for item in answer["data"]] == batch
    given = {(item["file_url"], item["link"]) for answer in answers for item in answer["data"]}
    assert sorted(uri for uri, link in given) == sorted(URIS)
    stored = notes.shell(
        "import json",
        "from directlinks.models import DirectLink",
        "print(json.dumps([link.get_absolute_url() for link in DirectLink.objects.reusable()]))",
    )
    assert sorted(f"{server.origin}{path}" for path in json.loads(stored)) == sorted(
        link for uri, link in given
    )


def test_twenty_visitors_at_once_are_counted_as_twenty(notes: Site, server: Server) -> None:
    path = a_link(notes, 0)

    answers = all_at_once(lambda url: ask("GET", url), [server.origin + path] * 20)

    assert [answer.status for answer in answers] == [302] * 20
    code = path.split("/")[2]
    downloads = notes.shell(
        "from directlinks.models import DirectLink",
        f'print(DirectLink.objects.get(code="{code}").downloads)',
    )
    assert downloads == "20"


def test_a_link_for_one_download_opens_for_one_of_twenty(notes: Site, server: Server) -> None:
    url = server.origin + a_link(notes, 1, "max_downloads=1")

    answers = all_at_once(lambda url: ask("GET", url), [url] * 20)

    assert sorted(answer.status for answer in answers) == [302] + [410] * 19
