"""Part of a content, from wherever it is stored.

A storage that opens files like a disk needs nothing here. One that fetches a whole object before
the first byte can be read, as that of S3 does, would fill the memory: for such a one a reader is
registered that asks for the part alone.
"""

import os
from collections.abc import Callable
from io import BytesIO
from typing import Any, Protocol

from django.core.files.storage import Storage

from directlinks.delivery.registry import StorageRegistry
from directlinks.storage import is_plain_folder, local_path


class Readable(Protocol):
    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes, none at the end."""

    def close(self) -> None: ...


Reader = Callable[[Any, str, int, int], Readable]

_readers: StorageRegistry[Reader] = StorageRegistry()


def register(storage_class: str, reader: Reader) -> None:
    """Let ``reader`` open contents of the storage class at this dotted path.

    It is called with the storage, a content's name, the first byte and the number of bytes, which
    is one at least, and raises FileNotFoundError where there is no such content.
    """
    _readers.register(storage_class, reader)


def open_part(storage: Storage, name: str, start: int, length: int) -> Readable:
    """``length`` bytes, or more, of the content ``name`` from ``start`` on."""
    reader = _readers.of(storage)
    if length == 0:
        return BytesIO()
    if reader is not None:
        return reader(storage, name, start, length)
    return _opened(storage, name, start)


def open_whole(storage: Storage, name: str) -> tuple[Readable, int]:
    """All bytes of the content ``name``, and how many that are."""
    if _readers.of(storage) is None and is_plain_folder(storage):
        # What the storage does, in two system calls: most downloads are of such files.
        file = open(local_path(storage, name), "rb", buffering=0)  # noqa: SIM115, PTH123
        return file, os.fstat(file.fileno()).st_size
    size = storage.size(name)
    return open_part(storage, name, 0, size), size


def _opened(storage: Storage, name: str, start: int) -> Readable:
    source = storage.open(name, "rb")
    if start:
        source.seek(start)
    return source


def _s3(storage: Any, name: str, start: int, length: int) -> Readable:
    if storage.gzip:  # what it compressed is of another length there
        return _opened(storage, name, start)
    with storage.open(name, "rb") as file:
        part: Readable = file.obj.get(Range=f"bytes={start}-{start + length - 1}")["Body"]
    return part


register("storages.backends.s3.S3Storage", _s3)
