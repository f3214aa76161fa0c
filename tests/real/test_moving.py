"""A thousand contents that move between storages while visitors follow their links."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count, cycle, islice
from threading import Event

import pytest

from tests.real.memory import MIB, linux_only
from tests.real.object_storage import BUCKET, ObjectStorage, rclone, s3_client
from tests.real.servers import gunicorn
from tests.real.sites import Site
from tests.real.visitors import PATIENCE, visit

FILES = 1000
VISITORS = 4
PAUSE = 0.1  # of each visitor between two visits, so that the command gets on
STREAM_BACKEND = "directlinks.delivery.backends.stream.StreamBackend"
STREAM = f'DIRECTLINKS = {{"DELIVERY": {{"BACKEND": "{STREAM_BACKEND}"}}}}\n'
MODES = {"stream": STREAM, "redirect": ""}


@dataclass(frozen=True, slots=True)
class World:
    """A site with a disk and two buckets, and the contents of its links by their paths."""

    site: Site
    buckets: dict[str, ObjectStorage]
    contents: dict[str, bytes]

    def stored_in(self, alias: str) -> int:
        """How many files say that their content lies there."""
        with closing(sqlite3.connect(self.site.folder / "db.sqlite3", timeout=PATIENCE)) as tables:
            asked = "SELECT count(*) FROM directlinks_file WHERE storage_alias = ?"
            (number,) = tables.execute(asked, [alias]).fetchone()
        return int(number)

    def objects_in(self, alias: str) -> int:
        """How many objects the bucket has."""
        pages = s3_client(self.buckets[alias].origin).get_paginator("list_objects_v2")
        return sum(len(page.get("Contents", [])) for page in pages.paginate(Bucket=BUCKET))

    def move(self, source: str, target: str, *, kill_after: int | None = None) -> None:
        """Run the command, or kill it when ``kill_after`` files are there."""
        command = [sys.executable, "manage.py", "directlinks_move", source, target]
        with subprocess.Popen(
            command, cwd=self.site.folder, env=self.site.environment, stdout=subprocess.DEVNULL
        ) as mover:
            while kill_after is not None and self.stored_in(target) < kill_after:
                assert mover.poll() is None
                time.sleep(0.05)
            if kill_after is not None:
                mover.send_signal(signal.SIGKILL)
        assert mover.returncode == (0 if kill_after is None else -signal.SIGKILL)

    def delete_unused(self) -> int:
        """Delete what is left, as a run on another day does, and return how many that were."""
        return int(
            self.site.shell(
                "from datetime import timedelta",
                "from django.utils import timezone",
                "from directlinks.services import moving",
                "found = list(moving.unused_contents(timezone.now() + timedelta(days=2)))",
                "for unused in found: moving.delete_unused(unused)",
                "print(len(found))",
            )
        )


@dataclass(slots=True)
class Visitors:
    """What they saw that they should not see, and how many visits went well."""

    origin: str
    faults: list[str] = field(default_factory=list)
    visits: "count[int]" = field(default_factory=count)

    def follow(self, link: str, content: bytes) -> None:
        answer = visit("GET", self.origin + link)
        if (answer.status, answer.body) != (200, content):  # pragma: no cover
            self.faults.append(f"{link}: {answer.status}, {answer.body[:200]!r}")
        next(self.visits)


@contextmanager
def visitors(world: World, mode: str) -> Iterator[Visitors]:
    """With a server, and visitors who follow all links again and again, and all once at the end."""
    site = world.site.variant(mode, MODES[mode])
    with gunicorn(site, workers=2) as server, ThreadPoolExecutor(VISITORS) as threads:
        found, are_done = Visitors(server.origin), Event()

        def follow_all(first: int) -> None:
            links = islice(cycle(world.contents.items()), first * FILES // VISITORS, None)
            for link, content in links:  # pragma: no branch
                if are_done.is_set():
                    return
                found.follow(link, content)
                time.sleep(PAUSE)

        following = [threads.submit(follow_all, number) for number in range(VISITORS)]
        try:
            yield found
        finally:
            are_done.set()
        for one in following:
            one.result()
        list(threads.map(found.follow, *zip(*world.contents.items(), strict=True)))


@pytest.fixture(scope="module")
def world(public_site: Site) -> Iterator[World]:
    folder = public_site.folder.parent
    with rclone(folder / "near") as near, rclone(folder / "far") as far:
        buckets = {"near": near, "far": far}
        public_site.append(
            "mysite/settings.py", "from django.conf.global_settings import STORAGES\n"
        )
        for alias, bucket in buckets.items():
            declared = {"BACKEND": bucket.backend, "OPTIONS": bucket._given({})}
            public_site.append("mysite/settings.py", f"STORAGES[{alias!r}] = {declared!r}\n")
        contents = {f"{n}.txt": f"content {n} ".encode() * (n % 5) for n in range(FILES)}
        links = public_site.add_links(contents)
        yield World(public_site, buckets, {links[path]: contents[path] for path in contents})


def test_visitors_see_nothing_of_a_move(world: World) -> None:
    """From a disk to a bucket, with a kill between, and on to another; then the deletion."""
    with visitors(world, "stream") as found:
        world.move("default", "near", kill_after=FILES // 10)
        assert 0 < world.stored_in("default") < FILES
        world.move("default", "near")
    assert found.faults == []
    assert next(found.visits) > FILES
    assert (world.stored_in("near"), world.stored_in("default")) == (FILES, 0)

    with visitors(world, "redirect") as found:
        world.move("near", "far")
        assert world.delete_unused() >= 2 * FILES
    assert found.faults == []
    assert next(found.visits) > FILES
    assert (world.stored_in("near"), world.objects_in("near")) == (0, 0)
    assert world.objects_in("far") == world.stored_in("far") >= FILES
    assert [path for path in (world.site.folder / "media").rglob("*") if path.is_file()] == []


@linux_only
def test_moving_a_large_content_takes_little_memory(world: World) -> None:
    (growth,) = json.loads(
        world.site.shell(
            "import json, os, resource",
            "from django.core.files.base import ContentFile",
            "from django.core.management import call_command",
            "from directlinks.models import File",
            "from directlinks.storage import content_storage",
            'ada = User.objects.get(username="ada")',
            "def add(name, blocks):",
            '    content = ContentFile(b"", name="x")',
            "    file = File.objects.create(owner=ada, path=f'large/{name}', content=content)",
            "    with open(file.content.path, 'wb') as disk:",
            f"        for _ in range(blocks): disk.write(os.urandom({MIB}))",
            "def move():",
            "    with open(os.devnull, 'w') as nothing:",
            "        chosen = {'owner': 'ada', 'path': 'large', 'stdout': nothing}",
            "        call_command('directlinks_move', 'default', 'near', **chosen)",
            "        call_command('directlinks_move', 'near', 'far', **chosen)",
            "    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024",
            'add("first", 12)',
            "before = move()",
            'add("second", 96)',
            "print(json.dumps([move() - before]))",
        )
    )
    assert growth <= 16 * MIB
