"""A tiny HTTP client that shows what it does: each request, its answer, and what was expected."""

import json
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPMessage
from typing import Any
from urllib.parse import urljoin, urlsplit

from django.core.management.color import Style

WIDTH = 100
_MOST_LINES = 40
_TIMEOUT_SECONDS = 30

# Of an answer's headers, those that matter to a visitor.
_SHOWN = (
    "Location",
    "Content-Type",
    "Content-Length",
    "Content-Range",
    "Content-Disposition",
    "Accept-Ranges",
    "ETag",
    "Cache-Control",
)
# A token or a ticket would bury the rest. No link code is as long.
_TOKEN = re.compile(r"[\w.-]{40,}", re.ASCII)


class StepFailed(Exception):
    """Something did not turn out as expected; the text names the step and what it was."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; the names of ``headers`` may be spelled in any case."""

    status: int
    reason: str
    headers: HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Transcript:
    """Requests to ``site``, line by line given to ``say``. Redirects are shown, not followed."""

    def __init__(self, site: str, say: Callable[[str], None], style: Style) -> None:
        self._site = site
        self._say = say
        self._style = style
        self._number = 0
        self._title = ""

    def step(self, title: str, explanation: str) -> None:
        """Begin the next step."""
        self._number += 1
        self._title = title
        self._say("")
        self._say(self._style.MIGRATE_HEADING(f"{self._number}. {title}"))
        self._write(textwrap.fill(explanation, WIDTH - 3), "   ")

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> Answer:
        """Send one request, with ``body`` as JSON unless it is None, and show what comes back.

        ``url`` is absolute, or a path on the site. Raises StepFailed where nothing comes back.
        """
        sent = dict(headers or {})
        if body is not None:
            sent["Content-Type"] = "application/json"
        parts = urlsplit(urljoin(self._site, url))
        self._show("→", f"{method} {parts.path}", sent, "" if body is None else _pretty(body))
        connection = HTTPConnection(parts.netloc, timeout=_TIMEOUT_SECONDS)
        try:
            data = None if body is None else json.dumps(body).encode()
            connection.request(method, parts.path, data, sent)
            response = connection.getresponse()
            answer = Answer(response.status, response.reason, response.headers, response.read())
        except (OSError, HTTPException) as error:
            raise self._failure(f"{method} {parts.path} had no answer: {error}") from error
        finally:
            connection.close()
        shown = {name: answer.headers[name] for name in _SHOWN if name in answer.headers}
        self._show("←", f"{answer.status} {answer.reason}", shown, _readable(answer))
        return answer

    def expect(self, what: str, actual: object, expected: object) -> None:
        """Show whether the two are equal. Raises StepFailed where they are not."""
        if actual != expected:
            fault = f"✗ {what}\n  expected  {expected!r}\n  but got   {actual!r}"
            self._write(fault, "   ", self._style.ERROR)
            raise self._failure(what)
        self._write(f"✓ {what}", "   ", self._style.SUCCESS)

    def _failure(self, what: str) -> StepFailed:
        return StepFailed(f"Step {self._number} ({self._title}) failed: {what}")

    def _show(self, arrow: str, first_line: str, headers: Mapping[str, str], body: str) -> None:
        self._say("")
        self._write(f"{arrow} {first_line}", "   ", self._style.HTTP_INFO)
        for name, value in headers.items():
            self._write(f"{name}: {value}", "     ")
        self._write(body, "     ")

    def _write(self, text: str, indent: str, colour: Callable[[str], str] = str) -> None:
        for line in _TOKEN.sub(_shortened, text).splitlines():
            for piece in folded(indent + line):
                self._say(colour(piece))


def folded(line: str) -> Iterator[str]:
    """``line`` in pieces of WIDTH, cut behind a blank or a slash; the later ones are indented."""
    margin = min(len(line) - len(line.lstrip()), WIDTH // 2) + 4
    while len(line) > WIDTH:
        cut = 1 + max(line.rfind(mark, margin, WIDTH) for mark in " /")
        cut = cut or WIDTH
        yield line[:cut].rstrip()
        line = " " * margin + line[cut:]
    yield line.rstrip()


def _readable(answer: Answer) -> str:
    """A body for people: JSON and text to be read, and of anything else its length."""
    kind = answer.headers.get("Content-Type", "")
    if not answer.body:
        return ""
    if kind.startswith("application/json"):
        text = _pretty(answer.json)
    elif kind.startswith("text/"):
        text = answer.body.decode(errors="replace")
    else:
        return f"({len(answer.body):,} bytes)"
    lines = text.splitlines()
    if len(lines) > _MOST_LINES:
        lines[_MOST_LINES:] = [f"… ({len(lines) - _MOST_LINES} more lines)"]
    return "\n".join(lines)


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _shortened(token: re.Match[str]) -> str:
    return f"{token[0][:12]}…{token[0][-4:]}"
