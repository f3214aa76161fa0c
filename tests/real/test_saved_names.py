"""The name under which curl saves the file behind a link: ``curl -OJL``."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.programs import needed
from tests.real.servers import Server, gunicorn
from tests.real.sites import Site, run

SAVED = {
    "notes.txt": "notes.txt",
    "two words (1).txt": "two words (1).txt",
    "na\u00efve.txt": "naive.txt",
    "新 文件.txt": "file.txt",
    'say "hi".txt': "say _hi_.txt",
    "back\\slash.txt": "back_slash.txt",
    "up%2F..%2Fpasswd": "up_2F.._2Fpasswd",
    "semi;colon.txt": "semi;colon.txt",
    "txt.\u202egnp.exe": "txt.gnp.exe",
}


@pytest.fixture(scope="module")
def server(site: Site) -> Iterator[Server]:
    with gunicorn(site) as server:
        yield server


@pytest.fixture(scope="module")
def links(site: Site) -> dict[str, str]:
    return site.add_links({name: name.encode() for name in SAVED})


@pytest.mark.parametrize("name", SAVED)
def test_curl_saves_a_sensible_name(
    name: str, links: dict[str, str], server: Server, tmp_path: Path
) -> None:
    curl = [needed("curl"), "--noproxy", "*", "-fsSOJL", server.origin + links[name]]

    run(curl, cwd=tmp_path, environment=os.environ)

    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {
        SAVED[name]: name.encode()
    }
