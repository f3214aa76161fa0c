"""Storages that a site may have, and a site that may not read its own."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.files.storage import InMemoryStorage, Storage


class Bucket(Storage):
    """Without local paths, as any storage on another machine; its URLs begin with ``base_url``."""

    def __init__(self, base_url: str = "https://bucket.example/files/") -> None:
        self.base_url = base_url
        self._contents = InMemoryStorage()

    def _open(self, name: str, mode: str = "rb") -> Any:
        return self._contents.open(name, mode)

    def _save(self, name: str, content: Any) -> str:
        return self._contents.save(name, content)

    def delete(self, name: str) -> None:
        self._contents.delete(name)

    def exists(self, name: str) -> bool:
        return self._contents.exists(name)

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """Like a bucket, empty for a name that nothing begins with."""
        try:
            return self._contents.listdir(path)
        except (FileNotFoundError, FileExistsError):
            return [], []

    def size(self, name: str) -> int:
        return self._contents.size(name)

    def url(self, name: str | None) -> str:
        return f"{self.base_url}{name}"


@contextmanager
def as_another_user() -> Iterator[None]:
    """Without the right to read every file that root has."""
    is_root = os.geteuid() == 0
    if is_root:  # pragma: no branch
        os.seteuid(65_534)
    try:
        yield
    finally:
        if is_root:  # pragma: no branch
            os.seteuid(0)


@contextmanager
def no_more_files() -> Iterator[None]:
    """With as many files open as the machine allows."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
