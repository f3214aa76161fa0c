"""Links to a private bucket, on a server that refuses what the site has not signed."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pytest

from tests.real.memory import MIB, growth, linux_only
from tests.real.object_storage import ObjectStorage, rclone, site_on
from tests.real.servers import Server, gunicorn
from tests.real.sites import Site
from tests.real.visitors import ask, connect, log_in, put, send, visit

STRANGE = "naïve 名前 %41+#;'.txt"
CONTENTS = {
    "photo.png": b"\x89PNG" + bytes(range(256)) * 1000,
    "drawing.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    STRANGE: b"0123456789abcdef",
}
STREAM_BACKEND = "directlinks.delivery.backends.stream.StreamBackend"
STREAM = f'DIRECTLINKS = {{"DELIVERY": {{"BACKEND": "{STREAM_BACKEND}"}}}}\n'
# What a server of S3 says to a signature that is wrong or old.
REFUSED = {400, 403}


@dataclass(frozen=True, slots=True)
class Bucket:
    """The S3 server, the site that keeps its files there, and the URLs of links to CONTENTS."""

    storage: ObjectStorage
    site: Site
    server: Server
    links: dict[str, str]

    def new_link(self, path: str, limits: str = "") -> str:
        """The URL of a link with ``limits`` to a new file at ``path``."""
        return self.server.origin + self.site.add_links({path: b"0123456789"}, limits)[path]


@pytest.fixture(scope="module")
def storage(public_site: Site) -> Iterator[ObjectStorage]:
    with rclone(public_site.folder.parent / "s3") as server:
        yield server


@pytest.fixture(scope="module")
def bucket(storage: ObjectStorage, public_site: Site) -> Iterator[Bucket]:
    site = site_on(storage, public_site, "on_s3")
    folder = site.folder.parent / "to add"
    folder.mkdir()
    for name, data in CONTENTS.items():
        (folder / name).write_bytes(data)
    site.manage("directlinks_add", "ada", *(str(folder / name) for name in CONTENTS))
    with gunicorn(site) as server:
        api = f"{server.origin}/api/v4/"
        uris = [
            f"cloudreve://my/{name.replace('%', '%25').replace('#', '%23')}" for name in CONTENTS
        ]
        answer = put(api, log_in(api, "ada"), uris)
        assert answer["code"] == 0, answer
        links = [item["link"] for item in answer["data"]]
        yield Bucket(storage, site, server, dict(zip(CONTENTS, links, strict=True)))


def target(link: str, method: str = "GET") -> str:
    """Where ``link`` leads to."""
    answer = ask(method, link)
    assert answer.status == 302
    return str(answer.headers["Location"])


@pytest.mark.parametrize("path", CONTENTS)
def test_a_link_leads_to_the_exact_bytes_in_the_bucket(bucket: Bucket, path: str) -> None:
    url = target(bucket.links[path])

    assert url.startswith(f"{bucket.storage.origin}/links/")
    answer = ask("GET", url)
    assert (answer.status, answer.body) == (200, CONTENTS[path])


@pytest.mark.parametrize(
    ("path", "content_type", "disposition"),
    [
        ("photo.png", "image/png", 'inline; filename="photo.png"'),
        ("drawing.svg", "image/svg+xml", 'attachment; filename="drawing.svg"'),
        (
            STRANGE,
            "text/plain; charset=utf-8",
            "inline; filename=\"naive _ _41+#;'.txt\"; filename*=utf-8''" + quote(STRANGE, safe=""),
        ),
    ],
)
def test_the_bucket_honours_type_and_disposition(
    bucket: Bucket, path: str, content_type: str, disposition: str
) -> None:
    answer = visit("GET", bucket.links[path])

    assert answer.headers["Content-Type"] == content_type
    assert answer.headers["Content-Disposition"] == disposition


def test_a_download_link_makes_an_image_an_attachment(bucket: Bucket) -> None:
    link = bucket.links["photo.png"].replace("/f/", "/f/d/")

    answer = visit("GET", link)

    assert answer.headers["Content-Disposition"] == 'attachment; filename="photo.png"'


def test_nobody_gets_bytes_without_a_signature(bucket: Bucket) -> None:
    url = urlsplit(target(bucket.links["photo.png"]))._replace(query="").geturl()

    assert ask("GET", url).status in REFUSED


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("X-Amz-Signature", "0" * 64),
        ("X-Amz-Expires", "604800"),
        ("response-content-disposition", "inline"),
        ("response-content-type", "text/html"),
    ],
)
def test_the_bucket_refuses_a_tampered_target(bucket: Bucket, parameter: str, value: str) -> None:
    parts = urlsplit(target(bucket.links["drawing.svg"]))
    query = dict(parse_qsl(parts.query))
    assert query[parameter] != value

    query[parameter] = value

    assert ask("GET", parts._replace(query=urlencode(query)).geturl()).status in REFUSED


def test_the_bucket_refuses_the_signature_of_another_file(bucket: Bucket) -> None:
    signature = urlsplit(target(bucket.links["photo.png"])).query
    other = urlsplit(target(bucket.links["drawing.svg"]))

    assert ask("GET", other._replace(query=signature).geturl()).status in REFUSED


def test_the_bucket_refuses_an_expired_target(bucket: Bucket, public_site: Site) -> None:
    short = 'DIRECTLINKS = {"TARGET_SECONDS": 1}\n'
    with gunicorn(site_on(bucket.storage, public_site, "on_s3_shortly", short)) as server:
        url = target(server.origin + urlsplit(bucket.links["photo.png"]).path)
        time.sleep(2.1)  # the signature counts whole seconds

        assert ask("GET", url).status in REFUSED


def test_what_a_head_of_a_limited_link_gives_is_no_download(bucket: Bucket) -> None:
    link = bucket.new_link("once.txt", "max_downloads=1")

    url = target(link, "HEAD")

    assert ask("HEAD", url).status == 200
    assert ask("GET", url).status in REFUSED
    assert visit("GET", link).body == b"0123456789"
    assert ask("GET", link).status == 410


def test_a_head_of_an_unlimited_link_says_what_its_get_gives(bucket: Bucket) -> None:
    link = bucket.links["photo.png"]

    head = ask("HEAD", link)

    # The bucket would refuse a HEAD where a GET leads, so a client asks the link alone.
    assert (head.status, head.headers["Location"]) == (200, None)
    given = visit("GET", link)
    assert int(head.headers["Content-Length"]) == len(given.body)
    for name in ("Content-Type", "Content-Disposition"):
        assert head.headers[name] == given.headers[name]


def test_a_thousand_visits_sign_once(bucket: Bucket) -> None:
    link = bucket.new_link("often.txt")
    locations = set()
    with closing(connect(link)) as connection:
        for number in range(1000):
            if number == 500:
                time.sleep(1.1)  # a signature made now would not be the one made before
            response = send(connection, "GET", link)
            response.read()
            locations.add(response.headers["Location"])

    assert len(locations) == 1
    assert ask("GET", locations.pop()).body == b"0123456789"


def test_a_revoked_link_leads_nowhere(bucket: Bucket) -> None:
    link = bucket.new_link("revoked.txt")
    url = target(link)

    bucket.site.revoke(link)

    assert ask("GET", link).status == 404
    # The signature outlives the link, as docs/delivery.md says.
    assert ask("GET", url).status == 200


def test_a_link_leads_to_the_new_bytes_once_they_are_replaced(bucket: Bucket) -> None:
    link = bucket.new_link("replaced.txt")
    before = target(link)

    bucket.site.replace_content("replaced.txt", b"other bytes")

    after = target(link)
    assert urlsplit(after).path != urlsplit(before).path
    assert ask("GET", after).body == b"other bytes"


@pytest.fixture(scope="module")
def stream(bucket: Bucket, public_site: Site) -> Iterator[str]:
    """The URL of a link that streams 16 bytes from the bucket."""
    with ExitStack() as stack:
        site = site_on(bucket.storage, public_site, "streaming_from_s3", STREAM)
        server = stack.enter_context(gunicorn(site))
        yield server.origin + urlsplit(bucket.links[STRANGE]).path


@pytest.mark.parametrize(
    ("asked", "status", "body", "content_range"),
    [
        (None, 200, b"0123456789abcdef", None),
        ("bytes=2-5", 206, b"2345", "bytes 2-5/16"),
        ("bytes=-3", 206, b"def", "bytes 13-15/16"),
        ("bytes=10-", 206, b"abcdef", "bytes 10-15/16"),
        ("bytes=16-", 416, b"", "bytes */16"),
    ],
)
def test_ranges_of_a_bucket_are_streamed_from_the_link_itself(
    stream: str, asked: str | None, status: int, body: bytes, content_range: str | None
) -> None:
    answer = ask("GET", stream, headers={} if asked is None else {"Range": asked})

    assert (answer.status, answer.body) == (status, body)
    assert answer.headers["Content-Range"] == content_range


@linux_only
def test_a_large_object_is_streamed_in_little_memory(
    bucket: Bucket, public_site: Site, tmp_path: Path
) -> None:
    size = 96 * MIB
    with (tmp_path / "huge.bin").open("wb") as file:
        file.truncate(size)
    site = site_on(bucket.storage, public_site, "large_from_s3", STREAM)
    site.manage("directlinks_add", "ada", str(tmp_path / "huge.bin"))
    # django-storages makes a client for each thread: the first download makes the only one.
    with gunicorn(site, threads=1) as server:
        api = f"{server.origin}/api/v4/"
        (item,) = put(api, log_in(api, "ada"), ["cloudreve://my/huge.bin"])["data"]
        small = server.origin + urlsplit(bucket.links[STRANGE]).path
        assert growth(server, item["link"], small, size) <= 16 * MIB
