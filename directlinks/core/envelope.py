"""The envelope of every answer: ``{"code": …, "data": …, "msg": …}``.

Answers are built here as plain dicts and written here as bytes, for the API and the visitor's
views. A batch is the result of an operation on many URIs.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from directlinks.core.errors import DirectLinksError, ErrorCode

Item = TypeVar("Item")
Other = TypeVar("Other")


@dataclass(slots=True)
class Batch(Generic[Item]):
    """``items`` in the order asked, failed ones left out; ``errors`` by canonical URI."""

    items: list[Item] = field(default_factory=list)
    errors: dict[str, DirectLinksError] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        return not self.errors

    @property
    def summary(self) -> str:
        """One line for all errors: the error itself if there is only one."""
        if self.is_complete:
            return ""
        if len(self.errors) == 1:
            (error,) = self.errors.values()
            return error.text
        return "One or more operation failed"

    def map(self, change: Callable[[Item], Other]) -> "Batch[Other]":
        """Return the same batch with ``change`` applied to each item."""
        return Batch([change(item) for item in self.items], self.errors)


Envelope = dict[str, Any]

CONTENT_TYPE = "application/json; charset=utf-8"

_NOTHING: Any = object()


def success(data: Any = _NOTHING) -> Envelope:
    """Return an answer without errors; ``data`` may be None, and is absent if it is not given."""
    envelope: Envelope = {"code": ErrorCode.SUCCESS.value}
    if data is not _NOTHING:
        envelope["data"] = data
    envelope["msg"] = ""
    return envelope


def failure(code: int, msg: str, *, correlation_id: str, detail: str = "") -> Envelope:
    """Return an answer to a request that failed. ``detail`` is for developers; absent if empty."""
    envelope: Envelope = {"code": int(code), "msg": msg}
    if detail:
        envelope["error"] = detail
    envelope["correlation_id"] = correlation_id
    return envelope


def from_error(error: DirectLinksError, *, correlation_id: str, debug: bool) -> Envelope:
    """Return the failure for ``error``, with its cause only if ``debug``."""
    # An error without a number has no message to show, so its detail is all that it says.
    detail = error.text if error.code is ErrorCode.UNKNOWN else error.cause
    return failure(
        error.code, error.msg, correlation_id=correlation_id, detail=detail if debug else ""
    )


def from_batch(batch: Batch[Any], *, correlation_id: str, debug: bool) -> Envelope:
    """Return the answer to a batch: ``data`` is absent if nothing succeeded."""
    if batch.is_complete:
        return success(batch.items)
    envelope: Envelope = {"code": ErrorCode.BATCH_NOT_COMPLETED.value}
    if batch.items:
        envelope["data"] = batch.items
    envelope["aggregated_error"] = {
        uri: from_error(batch.errors[uri], correlation_id=correlation_id, debug=debug)
        for uri in sorted(batch.errors, key=lambda uri: uri.encode("utf-8", "surrogatepass"))
    }
    envelope["msg"] = batch.summary
    if debug:
        envelope["error"] = "aggregate error: one or more operation failed"
    envelope["correlation_id"] = correlation_id
    return envelope


# Characters that would end a <script> element or a line of one stand as escapes; a lone surrogate
# has no UTF-8 form at all.
_UNSAFE = re.compile("[<>&\u2028\u2029\ud800-\udfff]")


def encode(envelope: Envelope) -> bytes:
    """Return ``envelope`` as compact UTF-8 JSON."""
    text = json.dumps(envelope, ensure_ascii=False, separators=(",", ":"))
    # Most texts have none of them, which is seen at once.
    if not text.isascii() or "<" in text or ">" in text or "&" in text:
        text = _UNSAFE.sub(_escaped, text)
    return text.encode()


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    return "\ufffd" if "\ud800" <= character <= "\udfff" else f"\\u{ord(character):04x}"
