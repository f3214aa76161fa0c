"""Contents over HTTP (RFC 9110), from any storage."""

import logging
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from hashlib import sha256
from typing import Any, TypeVar

from django.core.exceptions import SuspiciousFileOperation
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import http_date, parse_http_date, quote_etag

from directlinks.core.errors import LinkNotFound, StorageUnavailable
from directlinks.core.visits import if_range_matches, select_range
from directlinks.datetimes import as_stored, seconds_of
from directlinks.delivery.download import Download
from directlinks.delivery.headers import document_headers
from directlinks.delivery.reading import (
    ContentChanged,
    Known,
    OpenContent,
    Readable,
    open_content,
    stored_encoding,
)
from directlinks.delivery.responses import BlockResponse, Blocks, PlainResponse
from directlinks.models import File

logger = logging.getLogger("directlinks")

# How often a content may change before a visitor is asked to come back.
_MOST_CHANGES = 3

_LAST_SECOND = 253_402_300_799  # of the year 9999


def content_response(request: HttpRequest, download: Download) -> HttpResponseBase:
    """Return 200, 206, 304, 412 or 416 for a GET or HEAD ``request``.

    Raise LinkNotFound if the storage has no content that can be read.
    """
    try:
        return _as_stored_now(download, partial(_answer, request))
    except LinkNotFound as error:
        # Packages of storages tell addresses and numbers of requests, and on more than a line.
        is_local = isinstance(error.__cause__, (OSError, SuspiciousFileOperation))
        why = error.__cause__ if is_local else error.cause
        logger.warning("Link %s has no content: %s", download.link, why)
        raise


def whole_content(download: Download) -> PlainResponse:
    """Return the answer to a GET without ``Range`` and without conditions.

    Raise LinkNotFound if the storage has no content that can be read.
    """
    return _as_stored_now(download, _whole)


Answer = TypeVar("Answer")


def _as_stored_now(download: Download, answer: Callable[[Download, OpenContent], Answer]) -> Answer:
    """Return the ``answer`` with the content of ``download``, as its storage has it now.

    If that is another than the row knows, nothing of it was sent. Then the row is corrected, and
    with it the validators, so that no client puts parts of both together.
    """
    for _ in range(_MOST_CHANGES):
        known = Known(download.size, download.modified_at)
        content = open_content(download.content.storage, str(download.content), known)
        if content.size != download.size:
            _correct(download, size=content.size)
        try:
            return answer(download, content)
        except ContentChanged as change:
            download = _corrected(download, change)
    raise StorageUnavailable(cause="The content is written again and again.")


def _corrected(download: Download, change: ContentChanged) -> Download:
    stored_at = change.stored_at or timezone.now()
    # All who notice the change at once name the same version.
    edition = f"{download.version}-{change.size}-{change.stored_at}"
    current = download._replace(
        size=change.size,
        version=sha256(edition.encode()).hexdigest()[: len(download.version)],
        modified_at=as_stored(stored_at),
    )
    _correct(
        download,
        size=current.size,
        version=current.version,
        content_updated_at=current.modified_at,
    )
    return current


def _correct(download: Download, **columns: Any) -> None:
    """Write down what is true of a content that was changed in its place.

    A database that cannot write is no reason to refuse the download.
    """
    files = File.objects.filter(links=download.link, version=download.version)
    try:
        files.update(**columns)
    except DatabaseError as error:
        logger.warning("The size of the file of link %s stays: %s", download.link, error)


def _whole(download: Download, content: OpenContent) -> PlainResponse:
    part = content.part(0, content.size)
    headers = {
        **document_headers(download),
        **edition_headers(download, content.size, content.modified_ns),
        **_encoding_headers(download, part),
        "Accept-Ranges": "bytes",
        "Content-Length": str(content.size),
    }
    return PlainResponse(200, headers, Blocks(part, content.size))


def _encoding_headers(download: Download, part: Readable) -> Mapping[str, str]:
    encoding = stored_encoding(part, str(download.content))
    return {} if encoding is None else {"Content-Encoding": encoding}


def _answer(request: HttpRequest, download: Download, content: OpenContent) -> HttpResponseBase:
    validators = edition_headers(download, content.size, content.modified_ns)
    response = _selected(request, download, content, validators)
    if not isinstance(response, BlockResponse):
        content.close()
    for headers in (document_headers(download), validators, {"Accept-Ranges": "bytes"}):
        for name, value in headers.items():
            response.headers[name] = value
    return response


def edition_headers(download: Download, size: int, modified_ns: int | None) -> Mapping[str, str]:
    """Return ETag and Last-Modified, by which a client recognises these bytes.

    A file of this machine may be rewritten without its row, so both are also made of the file.
    """
    if modified_ns is None:
        return _validators(download.version, int(seconds_of(download.modified_at)))
    edition = f"{download.version}-{modified_ns:x}-{size:x}"
    return _validators(edition, modified_ns // 1_000_000_000)


# Files are sent many times.
@lru_cache(maxsize=4096)
def _validators(edition: str, modified: int) -> Mapping[str, str]:
    # A file may have any time, a date of HTTP has a year of four digits.
    return {
        "ETag": quote_etag(edition),
        "Last-Modified": http_date(min(max(modified, 0), _LAST_SECOND)),
    }


def _selected(
    request: HttpRequest,
    download: Download,
    content: OpenContent,
    validators: Mapping[str, str],
) -> HttpResponseBase:
    """Return what ``request`` gets of ``content``, without the headers of all answers."""
    etag, last_modified = validators["ETag"], validators["Last-Modified"]
    size = content.size
    precondition = get_conditional_response(request, etag, parse_http_date(last_modified))
    if precondition is not None:
        length = size if precondition.status_code == 304 else 0
        precondition.headers["Content-Length"] = str(length)
        return precondition
    if request.method == "HEAD":
        content.check()
        return HttpResponse(headers={"Content-Length": str(size)})
    header = request.headers.get("Range")
    if not if_range_matches(
        request.headers.get("If-Range"), etag=etag, last_modified=last_modified
    ):
        header = None
    selection = select_range(header, size)
    response: HttpResponseBase
    if selection.status == 416:
        content.check()
        response = HttpResponse(status=416)
    else:
        part = content.part(selection.start, selection.length)
        response = BlockResponse(request, part, selection)
        for name, value in _encoding_headers(download, part).items():
            response.headers[name] = value
    response.headers["Content-Length"] = str(selection.length)
    if selection.content_range is not None:
        response.headers["Content-Range"] = selection.content_range
    return response
