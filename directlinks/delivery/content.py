"""The bytes themselves, from whatever storage they are in, over HTTP as RFC 9110 has it."""

import logging
from collections.abc import Mapping
from functools import lru_cache

from django.core.exceptions import SuspiciousFileOperation
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import http_date, quote_etag

from directlinks.core import ranges
from directlinks.core.errors import LinkNotFound
from directlinks.delivery.download import Download
from directlinks.delivery.headers import PRIVATE, SANDBOX, disposition, with_charset
from directlinks.delivery.reading import open_part, open_whole
from directlinks.delivery.replies import Reply
from directlinks.delivery.streaming import BlockResponse, Blocks

logger = logging.getLogger("directlinks")

# What storages raise where a content is not there, or its name leads out of them.
NO_BYTES = (FileNotFoundError, IsADirectoryError, NotADirectoryError, SuspiciousFileOperation)

# Content-Encoding of all that has bytes: compression would change those that a range is cut from.
_UNCOMPRESSED = "identity"


def content_response(request: HttpRequest, download: Download) -> HttpResponseBase:
    """200, 206, 304, 412 or 416 for a GET or HEAD ``request``.

    Raises LinkNotFound where the storage has lost the bytes.
    """
    try:
        return _answer(request, download)
    except NO_BYTES as error:
        logger.warning("The bytes of link %s are missing: %s", download.link, download.content)
        raise LinkNotFound from error


def whole_content(download: Download) -> Reply:
    """The answer to a GET without ``Range`` and without conditions. Raises one of NO_BYTES."""
    headers = {**_content_headers(download), "Content-Encoding": _UNCOMPRESSED}
    source, size = open_whole(download.content.storage, str(download.content))
    headers["Content-Length"] = str(size)
    return Reply(200, headers, Blocks(source, size))


def _answer(request: HttpRequest, download: Download) -> HttpResponseBase:
    size = download.content.storage.size(str(download.content))
    identity = validators(download)
    etag, last_modified = identity["ETag"], identity["Last-Modified"]
    modified = int(download.modified_at.timestamp())
    precondition = get_conditional_response(request, etag, modified)
    response: HttpResponseBase
    if precondition is not None:
        response = precondition
        response.headers["Content-Length"] = str(size if response.status_code == 304 else 0)
    elif request.method == "HEAD":
        response = HttpResponse(headers={"Content-Length": str(size)})
    else:
        header = request.headers.get("Range")
        if_range = request.headers.get("If-Range")
        if not ranges.still_matches(if_range, etag=etag, last_modified=last_modified):
            header = None
        response = _selected(request, download, ranges.select(header, size), size)
    for name, value in _content_headers(download).items():
        response.headers[name] = value
    return response


def _content_headers(download: Download) -> dict[str, str]:
    return {**document_headers(download), **validators(download), "Accept-Ranges": "bytes"}


def document_headers(download: Download) -> Mapping[str, str]:
    """What every answer with the bytes of ``download`` says, whoever sends them."""
    return _document_headers(
        download.name,
        download.content_type,
        attachment=download.attachment,
        is_public=download.is_public,
    )


def validators(download: Download) -> Mapping[str, str]:
    """ETag and Last-Modified, by which a client knows these bytes again."""
    return _validators(download.version, int(download.modified_at.timestamp()))


# Files are sent many times.
@lru_cache(maxsize=4096)
def _document_headers(
    name: str, content_type: str, *, attachment: bool, is_public: bool
) -> Mapping[str, str]:
    return {
        **PRIVATE,
        **SANDBOX,
        # Revoking the link must reach those who have seen it, so a cache has to ask again; what a
        # limited or guarded link gave to one must not be there for another.
        "Cache-Control": "private, no-cache" if is_public else "private, no-store",
        "Content-Disposition": disposition(name, attachment=attachment),
        "Content-Type": with_charset(content_type),
    }


@lru_cache(maxsize=4096)
def _validators(version: str, modified: int) -> Mapping[str, str]:
    return {"ETag": quote_etag(version), "Last-Modified": http_date(modified)}


def _selected(
    request: HttpRequest, download: Download, selection: ranges.Selection, size: int
) -> HttpResponseBase:
    response: HttpResponseBase
    if selection.status == 416:
        response = HttpResponse(status=416)
    else:
        storage, name = download.content.storage, str(download.content)
        part = open_part(storage, name, selection.start, selection.length)
        response = BlockResponse(
            request,
            part,
            selection.length,
            to_end=selection.start + selection.length == size,
            status=selection.status,
        )
        response.headers["Content-Encoding"] = _UNCOMPRESSED
    response.headers["Content-Length"] = str(selection.length)
    if selection.content_range is not None:
        response.headers["Content-Range"] = selection.content_range
    return response
