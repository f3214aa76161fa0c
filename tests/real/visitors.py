"""Clients as thin as curl: of a server's pages, and of its API."""

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection, HTTPResponse
from threading import Barrier
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

from tests.real.sites import PASSWORD

Asked = TypeVar("Asked")
Answered = TypeVar("Answered")

PATIENCE = 60  # seconds for which a client waits for a server that starts or is busy


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Message
    body: bytes


def ask(
    method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> Answer:
    """One request, one answer; redirects are not followed and no proxy is asked."""
    with closing(connect(url)) as connection:
        response = send(connection, method, url, body, headers)
        return Answer(response.status, response.headers, response.read())


def visit(method: str, link: str, headers: Mapping[str, str] | None = None) -> Answer:
    """The answer at the end of ``link``, asked for as curl does: alike at each step."""
    answer = ask(method, link, headers=headers)
    if answer.status == 302:
        return ask(method, urljoin(link, answer.headers["Location"]), headers=headers)
    return answer


def target_of(link: str) -> str:
    """Return where ``link`` leads to, or the link itself."""
    return str(urljoin(link, ask("GET", link).headers["Location"] or ""))


def connect(url: str) -> HTTPConnection:
    return HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)


def send(
    connection: HTTPConnection,
    method: str,
    url: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
) -> HTTPResponse:
    """The answer to a request, of which the body is yet to be read."""
    # All after the host, which a signed URL needs to the letter.
    target = urlsplit(url)._replace(scheme="", netloc="").geturl()
    connection.request(method, target, body=body, headers=headers or {})
    return connection.getresponse()


def put(api: str, headers: Mapping[str, str], uris: Sequence[str]) -> Any:
    """The envelope that ``PUT file/source`` gives for ``uris``, by the API at ``api``."""
    body = json.dumps({"uris": list(uris)}).encode()
    return json.loads(ask("PUT", f"{api}file/source", body, headers).body)


def log_in(api: str, name: str) -> dict[str, str]:
    """The header by which the API at ``api`` knows that ``name`` is asking."""
    credentials = json.dumps({"email": name, "password": PASSWORD}).encode()
    answer = json.loads(ask("POST", f"{api}session/token", credentials).body)
    assert answer["code"] == 0, answer
    return {"Authorization": f"Bearer {answer['data']['token']['access_token']}"}


def all_at_once(act: Callable[[Asked], Answered], asked: Sequence[Asked]) -> list[Answered]:
    """``act`` on each of ``asked``, by a thread each, which set out together."""
    start = Barrier(len(asked))

    def run(one: Asked) -> Answered:
        start.wait()
        return act(one)

    with ThreadPoolExecutor(len(asked)) as threads:
        return list(threads.map(run, asked))
