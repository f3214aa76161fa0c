"""The main job of directlinks, done over HTTP as any client would do it."""

from collections.abc import Mapping
from hashlib import sha256
from urllib.parse import unquote, urljoin, urlsplit

from directlinks.core.errors import ErrorCode
from directlinks.core.uris import file_url
from example_project.population import ALICE
from example_project.samples import NOTES, PICTURE, REPORT
from example_project.transcript import Transcript

MISSING = "photos/lost.jpg"


def take_tour(transcript: Transcript, files: Mapping[str, bytes]) -> str:
    """Log in, make links, visit, resume and revoke; ``files`` are those that Alice has.

    Returns a link that goes on working. Raises StepFailed at the first step that does not hold.
    """
    bearer = log_in(transcript)
    links = create_links(transcript, bearer)
    target = open_link(transcript, links[NOTES])
    follow(transcript, target, files[NOTES])
    ask_for_headers(transcript, links[PICTURE], files[PICTURE])
    resume(transcript, links[PICTURE], files[PICTURE])
    revoke(transcript, bearer, links[REPORT])
    return links[PICTURE]


def log_in(transcript: Transcript) -> dict[str, str]:
    """The header that proves who is asking."""
    transcript.step("Alice logs in", "Name and password give a token for the calls that follow.")
    answer = transcript.send(
        "POST",
        "/api/v4/session/token",
        body={"email": ALICE.name, "password": ALICE.password},
    )
    transcript.expect("the answer is 200", answer.status, 200)
    transcript.expect("its code is 0: all went well", answer.json["code"], ErrorCode.SUCCESS)
    return {"Authorization": f"Bearer {answer.json['data']['token']['access_token']}"}


def create_links(transcript: Transcript, bearer: dict[str, str]) -> dict[str, str]:
    """Links by path."""
    transcript.step(
        "One request, four files, one of which does not exist",
        "A file that cannot have a link has an error of its own, and spoils nothing for the others."
        " Asking again would give the same links.",
    )
    paths = [NOTES, PICTURE, REPORT]
    uris = [file_url(path) for path in paths]
    missing = file_url(MISSING)
    answer = transcript.send(
        "PUT",
        "/api/v4/file/source",
        headers=bearer,
        body={"uris": [*uris[:2], missing, *uris[2:]]},
    )
    transcript.expect("the answer is 200: the batch was worked through", answer.status, 200)
    body = answer.json
    transcript.expect(
        "its code is 40081: not everything succeeded",
        body["code"],
        ErrorCode.BATCH_NOT_COMPLETED,
    )
    transcript.expect(
        "three files have a link, in the order asked",
        [item["file_url"] for item in body.get("data", [])],
        uris,
    )
    transcript.expect(
        "the missing one is named, with code 40016: no such path",
        {uri: error["code"] for uri, error in body["aggregated_error"].items()},
        {missing: ErrorCode.PATH_NOT_EXIST},
    )
    return dict(zip(paths, (item["link"] for item in body["data"]), strict=True))


def open_link(transcript: Transcript, link: str) -> str:
    """Where the link leads to."""
    transcript.step(
        "A visitor opens a link",
        "No account is needed: anyone who has the address can open it. The download is counted, and"
        " the visitor is sent on to a temporary address.",
    )
    return _target(transcript, "GET", link)


def follow(transcript: Transcript, target: str, source: bytes) -> None:
    transcript.step(
        "The visitor follows, and has the file",
        "The name comes back as Alice wrote it, and every byte as she stored it.",
    )
    answer = transcript.send("GET", target)
    transcript.expect("the answer is 200", answer.status, 200)
    # Like a browser, take the name that is not limited to ASCII (RFC 6266, section 4.3).
    name = unquote(answer.headers["Content-Disposition"].partition("filename*=utf-8''")[2])
    transcript.expect(f"the file is called {NOTES}", name, NOTES)
    _expect_checksum(transcript, answer.body, source)


def ask_for_headers(transcript: Transcript, link: str, source: bytes) -> None:
    transcript.step(
        "HEAD: how large is the picture?",
        "Link checkers and download managers ask first. That is not counted as a download.",
    )
    answer = transcript.send("HEAD", _target(transcript, "HEAD", link))
    transcript.expect("the answer is 200", answer.status, 200)
    transcript.expect(
        f"the length is that of the source: {len(source):,} bytes",
        answer.headers.get("Content-Length"),
        str(len(source)),
    )
    transcript.expect("no body came along", answer.body, b"")


def resume(transcript: Transcript, link: str, source: bytes) -> None:
    half = len(source) // 2
    transcript.step(
        "A download breaks off halfway",
        "Here the client asks for the first half only, which comes to the same.",
    )
    span = {"Range": f"bytes=0-{half - 1}"}
    first = transcript.send("GET", _target(transcript, "GET", link, span), headers=span)
    transcript.expect("the answer is 206: a part of the file", first.status, 206)
    transcript.expect(
        "it says which part",
        first.headers.get("Content-Range"),
        f"bytes 0-{half - 1}/{len(source)}",
    )

    transcript.step(
        "The download is resumed",
        "The client goes back to the link, because the temporary address may have expired, and"
        " wants the rest only if the file is still the same (If-Range). A resumed download is"
        " counted once.",
    )
    span = {"Range": f"bytes={half}-", "If-Range": first.headers.get("ETag", "")}
    rest = transcript.send("GET", _target(transcript, "GET", link, span), headers=span)
    transcript.expect("the answer is 206: a part of the file", rest.status, 206)
    transcript.expect(
        "it says which part",
        rest.headers.get("Content-Range"),
        f"bytes {half}-{len(source) - 1}/{len(source)}",
    )
    _expect_checksum(transcript, first.body + rest.body, source)


def revoke(transcript: Transcript, bearer: dict[str, str], link: str) -> None:
    transcript.step(
        "Alice revokes a link while a visitor is using it",
        "A visitor has just been sent on to the temporary address of the report.",
    )
    target = _target(transcript, "GET", link)
    code = urlsplit(link).path.split("/")[2]
    answer = transcript.send("DELETE", f"/api/v4/file/source/{code}", headers=bearer)
    transcript.expect("the answer is 200", answer.status, 200)
    transcript.expect("its code is 0: the link is revoked", answer.json["code"], ErrorCode.SUCCESS)

    transcript.step(
        "The revoked link leads nowhere",
        "It is as if it had never been, and the temporary address has died with it.",
    )
    answer = transcript.send("GET", link)
    transcript.expect("the link is 404", answer.status, 404)
    answer = transcript.send("GET", target)
    transcript.expect("the temporary address is 404", answer.status, 404)


def _target(
    transcript: Transcript, method: str, link: str, headers: Mapping[str, str] | None = None
) -> str:
    answer = transcript.send(method, link, headers=headers)
    transcript.expect("the answer is 302: the bytes are elsewhere", answer.status, 302)
    return str(urljoin(link, answer.headers["Location"]))


def _expect_checksum(transcript: Transcript, received: bytes, source: bytes) -> None:
    expected = sha256(source).hexdigest()
    transcript.expect(
        f"the SHA-256 of {len(received):,} bytes is that of the source: {expected[:16]}…",
        sha256(received).hexdigest(),
        expected,
    )
