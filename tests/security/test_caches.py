"""What is between a visitor and the site must not give to one what was for another."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.real.programs import needed
from tests.real.servers import Server, free_port, gunicorn, running
from tests.real.sites import DOCUMENTED_SETTINGS, Site, new_site
from tests.real.visitors import ask
from tests.real.web_servers import NGINX

KEEPING = """
ALLOWED_HOSTS = ["127.0.0.1"]
MEDIA_ROOT = BASE_DIR / "media"
DIRECTLINKS = {"REDIRECT_MAX_AGE": 60}
"""
CACHE = """
proxy_cache_path {folder}/cache keys_zone=shared:1m;
server {{
    listen 127.0.0.1:{port};
    location / {{
        proxy_pass {application};
        proxy_set_header Host $http_host;
        proxy_cache shared;
        add_header X-Cache $upstream_cache_status always;
    }}
}}
"""


@pytest.fixture(scope="module")
def cached() -> Iterator[tuple[Site, Server]]:
    """A site that allows redirects to be kept, behind an nginx that keeps what it may."""
    program = needed("nginx")
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        folder = Path(scratch)
        folder.chmod(0o755)
        site = new_site(folder / "project", settings=DOCUMENTED_SETTINGS + KEEPING)
        site.manage("migrate", "-v", "0")
        site.add_user("ada")
        application = stack.enter_context(gunicorn(site))
        port = free_port()
        own = CACHE.format(folder=folder, port=port, application=application.origin)
        (folder / "site.conf").write_text(own)
        (folder / "main.conf").write_text(NGINX.format(folder=folder))
        command = [program, "-e", "stderr", "-p", scratch, "-c", str(folder / "main.conf")]
        yield site, stack.enter_context(running(command, port, folder / "nginx.log"))


class TestSharedCaches:
    def test_what_a_limited_link_gave_to_one_is_there_for_nobody_else(
        self, cached: tuple[Site, Server]
    ) -> None:
        site, cache = cached
        (link,) = site.add_links({"once.txt": b"once"}, "max_downloads=1").values()
        answers = [ask("GET", cache.origin + link) for _ in range(2)]
        assert [answer.status for answer in answers] == [302, 410]

    def test_what_an_unlimited_link_gave_may_be_kept(self, cached: tuple[Site, Server]) -> None:
        """Or the test above would hold for a cache that keeps nothing."""
        site, cache = cached
        (link,) = site.add_links({"often.txt": b"often"}).values()
        first, second = (ask("GET", cache.origin + link) for _ in range(2))
        assert first.headers["X-Cache"] == "MISS"
        assert second.headers["X-Cache"] == "HIT"
