"""Probing a storage: its URL is signed and fetched as a visitor would, and what fails is told.

The storage's own library signs, and only ``http.client`` fetches, so the storage is seen from
outside. Nothing is written: without a file, a name that has no content is asked for, which says
whether signatures are taken.
"""

import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from email.message import Message
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from socket import SHUT_RDWR, gaierror
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from django.core.files.storage import storages
from django.utils.encoding import iri_to_uri

from directlinks.conf import conf
from directlinks.delivery.backends import get_delivery_backend
from directlinks.delivery.backends.storage_url import StorageURLBackend, fault_of, wish_for
from directlinks.delivery.headers import disposition
from directlinks.delivery.presigning import Target, Wish
from directlinks.models import File
from directlinks.storage import OWN_FOLDER

MOST_REQUESTS = 4
SECONDS = 10.0
"""How long one request may take, with all of its answer."""

_RANGE = "bytes=1-2"
_SMALLEST = 4
_MOST_OF_A_BODY = 65_536
_CLOCKS_DIFFER_BY = 60
_ATTEMPT = {"User-Agent": "directlinks_doctor", "Accept": "*/*", "Accept-Encoding": "gzip, br"}


@dataclass(frozen=True, slots=True)
class ProbeFault:
    """One fault of a storage: its kind, what is wrong, and what to mend."""

    kind: str
    message: str
    cure: str


@dataclass(slots=True)
class Probed:
    """What was seen of the storage ``alias``.

    ``skipped`` names the backend that delivers it without sending visitors there. ``path`` is that
    of the file that was fetched, None if there is none yet. ``chain`` has each request: its method,
    its address without the query, and the status of its answer.
    """

    alias: str
    skipped: str | None = None
    path: str | None = None
    chain: list[str] = field(default_factory=list)
    faults: list[ProbeFault] = field(default_factory=list)

    @property
    def requests(self) -> int:
        return len(self.chain)


def probe(*, seconds: float = SECONDS, clock: Callable[[], float] = time.time) -> Iterator[Probed]:
    """Fetch one content of each storage that has some, by up to MOST_REQUESTS requests each.

    Where new contents go is probed without one, too. Each request ends after ``seconds``. ``clock``
    gives this machine's time.
    """
    for alias in conf.storage_aliases:
        stored = File.objects.filter(storage_alias=alias, deleted_at=None, size__gte=_SMALLEST)
        file = stored.exclude(content="").order_by("-pk").first()
        if file is None and alias != conf.storage_alias:
            continue
        backend = get_delivery_backend(storages[alias], alias)
        if isinstance(backend, StorageURLBackend):
            yield _Visit(backend, file, Probed(alias), seconds, clock).probed()
        else:
            yield Probed(alias, skipped=type(backend).__name__)


class _Found(Exception):
    """A fault after which there is nothing more to be seen."""

    def __init__(self, kind: str, message: str, cure: str) -> None:
        super().__init__(message)
        self.fault = ProbeFault(kind, message, cure)


class _Row(NamedTuple):
    """One row of the tables below: the kind of a fault, what is wrong, and what to mend."""

    kind: str
    fault: str
    cure: str


class _Answer(NamedTuple):
    """``status`` of an answer, its headers, the beginning of its body, and when it came."""

    status: int
    headers: Message
    body: bytes
    came_at: float


@dataclass(slots=True)
class _Visit:
    """One visitor of the content of ``file``, or of a name that has none."""

    backend: StorageURLBackend
    file: File | None
    result: Probed
    seconds: float
    clock: Callable[[], float]

    def probed(self) -> Probed:
        try:
            if self.file is None:
                self._ask_for_nothing()
            else:
                self.result.path = self.file.path
                self._fetch_content(self.file)
        except _Found as found:
            self.result.faults.append(found.fault)
        return self.result

    def _ask_for_nothing(self) -> None:
        name = f"{OWN_FOLDER}/probe-of-nothing"
        wish = self._wish(name, "probe.txt", "text/plain", head_only=False)
        target = self._signed(name, wish)
        answer = self._follow("GET", target)
        self._compare_clocks(answer)
        if answer.status != 404 or _code(answer) in _NO_BUCKET:
            raise self._refusal(answer, target)

    def _fetch_content(self, file: File) -> None:
        name = str(file.content)
        wish = self._wish(name, file.path, file.content_type, head_only=False)
        target = self._signed(name, wish)
        answer = self._follow("GET", target, Range=_RANGE)
        self._compare_clocks(answer)
        if answer.status not in (200, 206):
            raise self._refusal(answer, target)
        self.result.faults += _content_faults(answer, file, wish, target)
        wish = self._wish(name, file.path, file.content_type, head_only=True)
        head = self._follow("HEAD", self._signed(name, wish))
        if head.status != 200:
            raise _Found(
                "head",
                f"HEAD is answered by {head.status}, and GET by {answer.status}.",
                "Let what stands in front of the storage pass HEAD on.",
            )

    def _wish(self, name: str, path: str, content_type: str, *, head_only: bool) -> Wish:
        return wish_for(
            name,
            content_type=content_type,
            shown=disposition(path, attachment=True),
            seconds=conf.TARGET_SECONDS,
            head_only=head_only,
        )

    def _signed(self, name: str, wish: Wish) -> Target:
        try:
            target = self.backend.sign(name, wish)
        except Exception as error:  # of a library that need not be installed
            cause = getattr(error, "cause", None) or f"{type(error).__name__}: {error!s:.80}."
            raise _Found(
                "no-url",
                f"No URL can be made. {cause}",
                "Give the storage what it signs with, or let StreamBackend deliver it.",
            ) from error
        if (fault := fault_of(target)) is not None:
            raise _Found(
                "no-url",
                f"Visitors cannot be sent to the URL: it {fault}.",
                "Let the storage give URLs at which visitors find it, correct REDIRECT_HOSTS, or "
                "let StreamBackend deliver it.",
            )
        return target

    def _follow(self, method: str, target: Target, **headers: str) -> _Answer:
        """Return the answer at the end of redirects, which visitors follow too."""
        url = iri_to_uri(target.url)
        while True:
            if url.startswith("http:") and conf.is_https and _PLAIN_HTTP not in self.result.faults:
                self.result.faults.append(_PLAIN_HTTP)
            answer = self._ask(method, url, headers)
            place = answer.headers.get("Location")
            if not (300 <= answer.status < 400 and place):
                return answer
            url = urljoin(url, place)
            if fault_of(Target(url)) is not None or self.result.requests == MOST_REQUESTS:
                raise _Found(
                    "redirect",
                    f"The storage leads elsewhere: {', '.join(self.result.chain)}, {_shown(url)}.",
                    "Let the storage's endpoint, region or base_url be where that leads.",
                )

    def _ask(self, method: str, url: str, headers: dict[str, str]) -> _Answer:
        chain, place = self.result.chain, _shown(url)
        chain.append(f"{method} {place}")
        try:
            answer = _fetch(method, url, {**_ATTEMPT, **headers}, self.seconds, self.clock)
        except (OSError, HTTPException) as error:
            kind, fault, cure = _unreachable(error, self.seconds)
            raise _Found(kind, f"{_shown(urljoin(url, '/'))} {fault}.", cure) from error
        chain[-1] = f"{method} {place}: {answer.status}"
        return answer

    def _compare_clocks(self, answer: _Answer) -> None:
        """Note that the clocks differ. Raise it if that explains a refusal."""
        try:
            there = parsedate_to_datetime(answer.headers.get("Date", "")).timestamp()
        except (TypeError, ValueError):
            return
        ahead = answer.came_at - there
        if abs(ahead) < _CLOCKS_DIFFER_BY:
            return
        side = "ahead of" if ahead > 0 else "behind"
        found = _Found(
            "clock",
            f"This machine's clock is {abs(ahead) / 60:.0f} minutes {side} the storage's.",
            "Set the clock by NTP: signatures begin and end by it.",
        )
        if answer.status in (400, 401, 403):
            raise found
        self.result.faults.append(found.fault)

    def _refusal(self, answer: _Answer, target: Target) -> _Found:
        code = _code(answer)
        if target.seconds is None and 400 <= answer.status < 500 and code not in _NO_BUCKET:
            kind, fault, cure = _UNSIGNED
        elif b"Request has expired" in answer.body:
            kind, fault, cure = _SKEWED
        else:
            kind, fault, cure = _REFUSALS.get(code) or _by_status(answer.status)
        if kind == "signature" and self.result.requests > 1:  # a redirect left its host
            kind, fault, cure = _REGION
        if kind in ("region", "signature") and (region := _region(answer)) is not None:
            cure = f"Set the storage's option region_name to {region!r}."
        said = f"{answer.status} {code}".rstrip()
        way = f" (after {', '.join(self.result.chain[:-1])})" if self.result.requests > 1 else ""
        return _Found(kind, f"{fault}: {said}{way}.", cure)


def _content_faults(
    answer: _Answer, file: File, wish: Wish, target: Target
) -> Iterator[ProbeFault]:
    """Yield how ``answer`` differs from the range of ``file`` that was asked for."""
    sent_type = answer.headers.get("Content-Type", "")
    if _essence(sent_type) == "text/html" != _essence(wish.content_type):
        raise _Found(_PAGE.kind, f"{_PAGE.fault}: {answer.status}.", _PAGE.cure)
    part = answer.headers.get("Content-Range", "")
    size = part.rpartition("/")[2] or answer.headers.get("Content-Length", "")
    if answer.status != 206:
        yield ProbeFault(
            "ranges",
            f"A range is answered by {answer.status}, not by 206.",
            "Let the storage, and what stands in front of it, answer ranges: without them players "
            "cannot seek, and downloads cannot be resumed.",
        )
    if size.isdecimal() and int(size) != file.size:
        yield ProbeFault(
            "size",
            f"The content has {size} bytes, and its record {file.size}.",
            "Replace the file: its content was changed behind its record.",
        )
    encoding = answer.headers.get("Content-Encoding", "identity")
    if encoding != "identity":
        yield ProbeFault(
            "encoding",
            f"The content is sent with Content-Encoding: {encoding}.",
            "Store contents without an encoding: programs of visitors undo it.",
        )
    cure = _UNSIGNED.cure
    if target.overrides:
        cure = "Let what stands in front of the storage pass on the query of the URL."
    if _essence(sent_type) != _essence(wish.content_type):
        fault = f"The type is {sent_type or 'missing'}, not {wish.content_type}."
        yield ProbeFault("type", fault, cure)
    sent = answer.headers.get("Content-Disposition", "")
    if _plain(sent) != _plain(wish.disposition):
        fault = f"Content-Disposition is {sent or 'missing'}, not {wish.disposition}."
        yield ProbeFault("disposition", fault, cure)


def _fetch(
    method: str, url: str, headers: dict[str, str], seconds: float, clock: Callable[[], float]
) -> _Answer:
    """Ask for ``url`` and follow nothing. Raise TimeoutError if not all is there in time."""
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.netloc.rpartition("@")[2], timeout=seconds)
    ran_out = threading.Event()

    def end() -> None:
        ran_out.set()
        # The socket is shut down, as a server that sends a byte now and then never times out.
        with suppress(OSError, AttributeError):
            connection.sock.shutdown(SHUT_RDWR)

    timer = threading.Timer(seconds, end)
    timer.start()
    try:
        with closing(connection):
            connection.request(
                method, f"{parts.path or '/'}?{parts.query}".rstrip("?"), headers=headers
            )
            answer = connection.getresponse()
            came_at = clock()
            body = answer.read(_MOST_OF_A_BODY)
    except (OSError, HTTPException) as error:
        if ran_out.is_set():
            raise TimeoutError from error
        raise
    finally:
        timer.cancel()
    if ran_out.is_set():
        raise TimeoutError
    return _Answer(answer.status, answer.headers, body, came_at)


def _unreachable(error: Exception, seconds: float) -> _Row:
    """Return why there is no answer at all."""
    if isinstance(error, gaierror):
        return _Row(
            "dns",
            "has a host that DNS does not know",
            "Correct the storage's endpoint, account or bucket name.",
        )
    if isinstance(error, ssl.SSLError):
        return _Row(
            "tls",
            f"cannot be trusted ({error.reason})",
            "Give the server a certificate for this host: a dot in a bucket's name makes another.",
        )
    if isinstance(error, TimeoutError):
        return _Row(
            "timeout",
            f"did not answer in {seconds:g} seconds",
            "Look for a firewall that drops packets, or an overloaded server.",
        )
    return _Row(
        "connection",
        f"cannot be reached ({type(error).__name__})",
        "Start the server, open its port for visitors, or correct the storage's endpoint.",
    )


def _shown(url: str) -> str:
    """Return ``url`` without its query, which opens the content."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _code(answer: _Answer) -> str:
    """Return what S3, Azure or Google calls the fault, "" if it does not say."""
    match = re.search(rb"<Code>(\w+)</Code>", answer.body)
    return match[1].decode() if match else answer.headers.get("x-ms-error-code", "")


def _region(answer: _Answer) -> str | None:
    match = re.search(rb"<Region>([\w-]+)</Region>", answer.body)
    return match[1].decode() if match else answer.headers.get("x-amz-bucket-region")


def _essence(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _plain(header: str) -> str:
    return ";".join(part.strip() for part in header.split(";")).lower()


_PLAIN_HTTP = ProbeFault(
    "plain-http",
    "Links begin with https: and lead to a URL that begins with http:.",
    "Let the storage give URLs that begin with https:.",
)
_UNSIGNED = _Row(
    "unsigned",
    "The URL is not signed, and the storage not public",
    "Let the storage sign its URLs: manage.py check says by which option.",
)
_ACCESS = _Row(
    "access",
    "The storage refuses the URL",
    "Let the key read the objects of the bucket (s3:GetObject). Without s3:ListBucket, S3 says "
    "this of missing objects too.",
)
_MISSING = _Row(
    "missing",
    "The content is not there",
    "See directlinks_doctor --remote for all files whose contents are missing.",
)
_PAGE = _Row(
    "login-page",
    "A page is answered in place of the content",
    "Let the storage give URLs that ask for no login, and nothing in front of it do so.",
)
_OUTAGE = _Row("outage", "The storage is out of order", "Try again, and look at its own state.")
_REGION = _Row(
    "region",
    "The URL was signed for another region or host than the bucket's",
    "Correct the storage's option region_name, and set addressing_style to 'virtual'.",
)
_SIGNATURE = _Row(
    "signature",
    "The signature is wrong",
    "Correct the secret key, then region_name and the endpoint. A proxy must pass on Host.",
)
_ENDED = _Row(
    "credentials",
    "The temporary credentials have ended",
    "Renew them, give the storage a key that stays, or lower TARGET_SECONDS.",
)
_BUCKET = _Row(
    "bucket",
    "The bucket does not exist",
    "Create it, or correct its name, account or endpoint in the storage's options.",
)
_SKEWED = _Row(
    "clock", "The signature is too old or too new", "Set the clock of this machine by NTP."
)
_NO_BUCKET = {"NoSuchBucket", "ContainerNotFound"}
_REFUSALS = {
    "SignatureDoesNotMatch": _SIGNATURE,
    "AuthenticationFailed": _SIGNATURE,
    "AuthorizationFailure": _Row(
        "access",
        "The account refuses the URL",
        "Correct account_key, and let the network rules of the account admit visitors.",
    ),
    "InvalidAccessKeyId": _Row(
        "credentials",
        "The id of the key is unknown",
        "Correct the storage's keys: the secret belongs to its id.",
    ),
    "RequestTimeTooSkewed": _SKEWED,
    "ExpiredToken": _ENDED,
    "InvalidToken": _ENDED,
    "TokenRefreshRequired": _ENDED,
    "NoSuchBucket": _BUCKET,
    "ContainerNotFound": _BUCKET,
    "PermanentRedirect": _REGION,
    "TemporaryRedirect": _REGION,
    "AuthorizationHeaderMalformed": _REGION,
    "IllegalLocationConstraintException": _REGION,
    "AuthorizationQueryParametersError": _Row(
        "signature",
        "The signature is for more time, or another region, than the storage takes",
        "Lower TARGET_SECONDS to 604800 or less, and correct region_name.",
    ),
    "InvalidObjectState": _Row(
        "archived",
        "The content is in an archive",
        "Restore it, and keep contents in a class of storage that can be read at once.",
    ),
}


def _by_status(status: int) -> _Row:
    """Return what an answer without a code of its own means."""
    if status == 404:
        return _MISSING
    if status < 300:
        return _PAGE
    return _OUTAGE if status >= 500 or status == 429 else _ACCESS
