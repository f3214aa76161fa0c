"""The recipes of the documentation, run: who follows a link through them gets the file."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.real import servers, web_servers
from tests.real.servers import Server
from tests.real.sites import Site
from tests.real.visitors import Answer, ask, log_in, put, visit

STRANGE = "naïve 名前 %41+#?;'.txt"
CONTENTS = {
    "photo.png": b"\x89PNG and so on",
    "notes.txt": b"0123456789abcdef",
    "drawing.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    STRANGE: b"found",
}
SECURITY = {
    "Content-Security-Policy",
    "Referrer-Policy",
    "X-Content-Type-Options",
    "X-Robots-Tag",
}
BACKENDS = {
    "nginx": "directlinks.delivery.backends.web_server.AccelBackend",
    "apache": "directlinks.delivery.backends.web_server.SendfileBackend",
}


@dataclass(frozen=True, slots=True)
class Front:
    """A web server, the application behind it, and the paths of its links."""

    site: Site
    server: Server
    application: Server
    links: Mapping[str, str]

    def visit(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """The answer at the end of the link to the file at ``path``."""
        return visit(method, self.server.origin + self.links[path], headers)


@pytest.fixture(scope="module")
def links(public_site: Site) -> dict[str, str]:
    return public_site.add_links(CONTENTS)


@pytest.fixture(scope="module", params=["nginx", "apache"])
def front(
    request: pytest.FixtureRequest, public_site: Site, links: dict[str, str]
) -> Iterator[Front]:
    name = request.param
    delivery = {"BACKEND": BACKENDS[name]}
    site = public_site.variant(
        f"behind_{name}",
        f"""
DIRECTLINKS = {{"DELIVERY": {delivery}, "CORS": ["https://app.example.org"]}}
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
""",
    )
    with ExitStack() as stack:
        application = stack.enter_context(servers.gunicorn(site))
        server = stack.enter_context(getattr(web_servers, name)(site, application))
        yield Front(site, server, application, links)


@pytest.mark.parametrize("path", CONTENTS)
def test_a_link_gives_the_bytes(front: Front, path: str) -> None:
    answer = front.visit(path)

    assert (answer.status, answer.body) == (200, CONTENTS[path])


def test_the_bytes_come_from_the_web_server_and_not_from_the_application(front: Front) -> None:
    answer = ask("GET", front.application.origin + front.links["notes.txt"])

    assert (answer.status, answer.body) == (200, b"")
    (place,) = (
        answer.headers[name]
        for name in ("X-Accel-Redirect", "X-Sendfile")
        if name in answer.headers
    )
    assert place not in str(front.visit("notes.txt").headers)


def test_a_symbolic_link_to_a_file_outside_is_gone(front: Front) -> None:
    names = front.site.shell(
        "from directlinks.models import File",
        "print(File.objects.get(path='photo.png').content.path)",
    )
    place, secret = Path(names), front.site.folder.parent / "secret"
    secret.write_bytes(b"not of the storage")
    secret.chmod(0o644)
    kept = place.rename(place.with_suffix(".kept"))
    place.symlink_to(secret)
    try:
        answer = front.visit("photo.png")
        assert answer.status == 404
        assert secret.read_bytes() not in answer.body
    finally:
        kept.replace(place)
    assert front.visit("photo.png").body == CONTENTS["photo.png"]


def test_nginx_follows_no_link_of_another_owner_that_appears_too_late(
    public_site: Site, links: dict[str, str]
) -> None:
    site = public_site.variant(
        "remembering",
        f"""
DIRECTLINKS = {{"DELIVERY": {{"BACKEND": "{BACKENDS["nginx"]}"}}, "CACHE_SECONDS": 600}}
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
""",
    )
    place = Path(
        site.shell(
            "from directlinks.models import File",
            "print(File.objects.get(path='drawing.svg').content.path)",
        )
    )
    secret = site.folder.parent / "another secret"
    secret.write_bytes(b"not of the storage")
    secret.chmod(0o644)
    with servers.gunicorn(site) as application, web_servers.nginx(site, application) as server:
        address = server.origin + links["drawing.svg"]
        assert ask("GET", address).body == CONTENTS["drawing.svg"]
        kept = place.rename(place.with_suffix(".kept"))
        place.symlink_to(secret)
        try:
            # The application answers from its memory, and does not look.
            assert ask("GET", address).body == secret.read_bytes()  # of the same owner
            os.chown(place, 65534, 65534, follow_symlinks=False)
            answer = ask("GET", address)
        finally:
            kept.replace(place)
    assert answer.status == 403
    assert secret.read_bytes() not in answer.body


@pytest.mark.parametrize(
    ("path", "content_type", "disposition"),
    [
        ("photo.png", "image/png", 'inline; filename="photo.png"'),
        ("notes.txt", "text/plain; charset=utf-8", 'inline; filename="notes.txt"'),
        ("drawing.svg", "image/svg+xml", 'attachment; filename="drawing.svg"'),
    ],
)
def test_type_and_disposition_are_the_applications(
    front: Front, path: str, content_type: str, disposition: str
) -> None:
    answer = front.visit(path)

    assert answer.headers["Content-Type"] == content_type
    assert answer.headers["Content-Disposition"] == disposition


@pytest.mark.parametrize(
    ("asked", "status"),
    [("bytes=0-", 206), ("bytes=2-5", 206), ("bytes=-3", 206), ("x", 200)],
)
def test_a_document_is_kept_from_acting_whatever_part_is_asked_for(
    front: Front, asked: str, status: int
) -> None:
    answer = front.visit("notes.txt", Range=asked)

    assert answer.status == status
    assert {name: answer.headers[name] for name in SECURITY} == {
        name: ask("GET", front.application.origin + front.links["notes.txt"]).headers[name]
        for name in SECURITY
    }


def test_a_range_beyond_the_end_is_refused(front: Front) -> None:
    assert front.visit("notes.txt", Range="bytes=99-").status == 416


def test_a_head_has_the_length_and_no_body(front: Front) -> None:
    answer = front.visit("notes.txt", "HEAD")

    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["Content-Length"] == "16"


def test_a_page_of_an_allowed_origin_may_read_a_range(front: Front) -> None:
    answer = front.visit("notes.txt", Origin="https://app.example.org", Range="bytes=2-5")

    assert (answer.status, answer.body) == (206, b"2345")
    assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example.org"
    assert "Content-Range" in answer.headers["Access-Control-Expose-Headers"]
    assert "Origin" in answer.headers["Vary"]


def test_a_page_of_another_origin_may_not(front: Front) -> None:
    answer = front.visit("notes.txt", Origin="https://evil.example.org")

    assert answer.headers["Access-Control-Allow-Origin"] is None


def test_who_has_the_bytes_already_gets_none(front: Front) -> None:
    etag = front.visit("notes.txt").headers["ETag"]

    answer = front.visit("notes.txt", **{"If-None-Match": etag})

    assert (answer.status, answer.body) == (304, b"")


def test_who_has_older_bytes_gets_the_new_ones(front: Front) -> None:
    path = f"replaced-{front.server.pid}.txt"
    link = front.server.origin + front.site.add_links({path: b"before"})[path]
    before = {"If-None-Match": ask("GET", link).headers["ETag"]}
    assert ask("GET", link, headers=before).status == 304

    front.site.replace_content(path, b"afterwards")

    assert ask("GET", link, headers=before).body == b"afterwards"


def test_a_file_that_a_program_rewrites_in_its_place_is_sent_again(front: Front) -> None:
    path = f"rewritten-{front.server.pid}.txt"
    link = front.server.origin + front.site.add_links({path: b"before"})[path]
    etag = ask("GET", link).headers["ETag"]

    front.site.shell(
        "import os, time",
        "from directlinks.models import File",
        f'stored = File.objects.get(path="{path}").content.path',
        'open(stored, "r+b").write(b"beyond")',
        "os.utime(stored, (time.time() - 60, time.time() - 60))",
    )

    assert ask("GET", link, headers={"If-None-Match": etag}).body == b"beyond"
    resumed = ask("GET", link, headers={"Range": "bytes=2-", "If-Range": etag})
    assert (resumed.status, resumed.body) == (200, b"beyond")
    assert ask("GET", link, headers={"Range": "bytes=2-"}).body == b"yond"


@pytest.mark.parametrize("address", ["/protected/", "/f/../protected/"])
def test_the_folder_of_the_files_is_closed(front: Front, address: str) -> None:
    stored = front.site.shell(
        "from directlinks.models import File",
        'print(File.objects.get(path="notes.txt").content)',
    )

    assert ask("GET", f"{front.server.origin}{address}{stored}").status == 404


def test_a_link_that_does_not_exist_is_the_applications_404(front: Front) -> None:
    answer = ask("GET", f"{front.server.origin}/f/abcdefghijkl/notes.txt")

    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"


def test_a_revoked_link_is_closed_at_once(front: Front) -> None:
    (link,) = front.site.add_links({f"gone-{front.server.pid}.txt": b"gone"}).values()
    assert ask("GET", front.server.origin + link).body == b"gone"

    front.site.revoke(link)

    assert ask("GET", front.server.origin + link).status == 404


def test_links_begin_as_the_visitor_knows_the_server(front: Front) -> None:
    api = f"{front.server.origin}/api/v4/"
    answer = put(api, log_in(api, "ada"), ["cloudreve://my/notes.txt"])

    (item,) = answer["data"]
    assert item["link"].startswith(f"{front.server.origin}/f/")
    assert visit("GET", item["link"]).body == CONTENTS["notes.txt"]


@pytest.mark.parametrize("part", ["0-", "0-99", "{0}-{0}"])
def test_two_hundred_ranges_are_no_way_to_make_the_server_work(front: Front, part: str) -> None:
    path = f"ranges-{front.server.pid}-{len(part)}.bin"
    size = 20_000
    link = front.server.origin + front.site.add_links({path: bytes(size)})[path]
    ranges = ",".join(part.format(number * 10) for number in range(200))

    answer = ask("GET", link, headers={"Range": f"bytes={ranges}"})

    # A server may answer a few ranges in parts, each with some headers of its own.
    assert answer.status in {200, 206, 416}
    assert len(answer.body) <= size + 200 * 200


def test_bytes_that_are_gone_are_a_404(front: Front) -> None:
    path = f"lost-{front.server.pid}.txt"
    link = front.server.origin + front.site.add_links({path: b"lost"})[path]
    front.site.shell(
        "from directlinks.models import File",
        f'content = File.objects.get(path="{path}").content',
        "content.storage.delete(content.name)",
    )

    assert ask("GET", link).status == 404
