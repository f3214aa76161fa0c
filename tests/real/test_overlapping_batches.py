"""Batches of many processes over the same files end with one reusable link for each file.

The database is that of DATABASE_URL, or else the SQLite file that ``startproject`` sets up.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from tests.real.databases import site_on_chosen_database
from tests.real.sites import Site

FILES = 500
PROCESSES = 8
BATCHES = 50
BATCH_SIZE = 200

SETTINGS = f"""
MEDIA_ROOT = BASE_DIR / "media"
DIRECTLINKS = {{"BATCH_SIZE": {BATCH_SIZE}}}
"""

# Each asks for batches of its own choice; all begin when each of them is ready.
ASK = f"""
import json, random, sys
from directlinks.policies import site_policy
from directlinks.services.creating import create_direct_links
choose = random.Random(NUMBER)
ada, policy = User.objects.get(username="ada"), site_policy()
uris = [f"cloudreve://my/notes/{{n}}.txt" for n in range({FILES})]
batches = [choose.sample(uris, {BATCH_SIZE}) for _ in range({BATCHES})]
print("ready", flush=True)
sys.stdin.readline()
for texts in batches:
    batch = create_direct_links(user=ada, texts=texts, policy=policy)
    answer = [[item.file_url, item.link.code] for item in batch.items]
    print(json.dumps([texts, answer, len(batch.errors)]), flush=True)
"""

STORED = """
import json
from directlinks.models import DirectLink
links = DirectLink.objects.reusable().values_list("file__path", "code")
print(json.dumps([[f"cloudreve://my/{path}", code] for path, code in links]))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("overlapping")
    notes = folder / "notes"
    notes.mkdir()
    for number in range(FILES):
        (notes / f"{number}.txt").write_text("note")
    with site_on_chosen_database(folder / "project", SETTINGS) as site:
        site.manage("directlinks_add", "ada", str(notes))
        yield site


def start(site: Site, number: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", f"NUMBER = {number}\n{ASK}"],
        cwd=site.folder,
        env=site.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def answers_of(process: "subprocess.Popen[str]") -> list[Any]:
    """What it was given, once it is told to begin."""
    said, complaints = process.communicate("go\n", timeout=600)
    assert process.returncode == 0, complaints
    return [json.loads(line) for line in said.splitlines()]


def test_each_caller_is_given_the_same_link_and_no_file_has_two(site: Site) -> None:
    with ExitStack() as ends, ThreadPoolExecutor(PROCESSES) as threads:
        processes = [start(site, number) for number in range(PROCESSES)]
        for process in processes:
            ends.callback(process.kill)
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        answers = [answer for all_ in threads.map(answers_of, processes) for answer in all_]

    assert len(answers) == PROCESSES * BATCHES
    for asked, given, errors in answers:
        assert ([uri for uri, code in given], errors) == (asked, 0)
    seen = {(uri, code) for asked, given, errors in answers for uri, code in given}
    assert len(seen) == FILES
    assert sorted(seen) == sorted((uri, code) for uri, code in json.loads(site.shell(STORED)))
