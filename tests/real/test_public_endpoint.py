"""A bucket that the site reaches by an address of its own, and visitors by another."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import pytest

from tests.real.faulty_proxy import Proxy, faulty_proxy
from tests.real.object_storage import ObjectStorage, rclone, site_on
from tests.real.servers import Server, gunicorn
from tests.real.sites import Site
from tests.real.visitors import ask, visit

CONTENT = bytes(range(256)) * 100
CHOSEN = """
DIRECTLINKS = {{"DELIVERY": {{
    "BACKEND": "directlinks.delivery.backends.storage_url.StorageURLBackend",
    "OPTIONS": {{"public_endpoint": {origin!r}}},
}}}}
"""


@dataclass(frozen=True, slots=True)
class PrivateNetwork:
    """The server of objects inside, the proxy that visitors see, and the site between them."""

    inside: ObjectStorage
    outside: Proxy
    site: Site
    server: Server

    def new_link(self, path: str, limits: str = "") -> str:
        """The URL of a link with ``limits`` to a new file at ``path``."""
        return urljoin(self.server.origin, self.site.add_links({path: CONTENT}, limits)[path])


@pytest.fixture(scope="module")
def network(public_site: Site) -> Iterator[PrivateNetwork]:
    with rclone(public_site.folder.parent / "s3") as inside, faulty_proxy(inside.origin) as outside:
        chosen = CHOSEN.format(origin=outside.origin)
        site = site_on(inside, public_site, "private_network", chosen)
        with gunicorn(site) as server:
            yield PrivateNetwork(inside, outside, site, server)


@pytest.mark.parametrize(
    ("path", "limits", "prefix"),
    [
        ("shown/a.bin", "", "/f/"),
        ("limited/a.bin", "max_downloads=9", "/f/"),
        ("saved/naïve 名前.tar.gz", "", "/f/d/"),
    ],
)
def test_visitors_follow_a_link_by_the_public_address_alone(
    path: str, limits: str, prefix: str, network: PrivateNetwork
) -> None:
    link = network.new_link(path, limits)
    link = link.replace("/f/", prefix)
    with network.outside.counting() as requests:
        for method, body in (("HEAD", b""), ("GET", CONTENT)):
            told = ask(method, link)
            answer = visit(method, link)
            assert urlsplit(network.inside.origin).netloc not in str(told.headers)
            assert answer.status == 200
            assert hashlib.sha256(answer.body).digest() == hashlib.sha256(body).digest()
    assert "GET" in {one.method for one in requests}


def test_the_site_itself_stays_inside(network: PrivateNetwork) -> None:
    with network.outside.counting() as requests:
        link = network.new_link("stored/b.bin")
        network.site.manage("directlinks_doctor")
        target = ask("GET", link).headers["Location"]
    assert requests == []
    assert target.startswith(f"{network.outside.origin}/")


def test_a_signature_for_one_address_is_none_for_the_other(network: PrivateNetwork) -> None:
    target = ask("GET", network.new_link("moved/c.bin")).headers["Location"]
    inside = target.replace(network.outside.origin, network.inside.origin)
    assert ask("GET", target).status == 200
    assert ask("GET", inside).status in (400, 403)
