"""Parts of objects, if their server does what the others do not."""

import errno
from types import SimpleNamespace
from typing import Any

import pytest

from directlinks.delivery.reading import _AzureBlocks, stored_encoding, whole_size


@pytest.mark.parametrize(
    ("content_range", "length", "start", "size"),
    [("bytes 10-19/100", 10, 10, 100), (None, 30, 0, 30)],
)
def test_the_answer_tells_the_size_of_the_object(
    content_range: str | None, length: int, start: int, size: int
) -> None:
    assert whole_size(content_range, length, start) == size


def test_a_server_that_sends_no_part_is_no_storage_for_ranges() -> None:
    with pytest.raises(OSError, match="sends no part") as caught:
        whole_size(None, 30, 10)
    assert caught.value.errno == errno.ENOTSUP


def test_a_blob_that_is_replaced_between_two_blocks_is_not_sent() -> None:
    etags = iter(["one", "two"])

    def download_blob(**options: Any) -> Any:
        properties = SimpleNamespace(etag=next(etags))
        return SimpleNamespace(properties=properties, readall=lambda: b"12")

    blocks = _AzureBlocks(SimpleNamespace(download_blob=download_blob), 0, 4, timeout=20)
    blocks.block_bytes = 2
    blocks.begin()
    with pytest.raises(OSError, match="replaced while it was read"):
        blocks.begin()


@pytest.mark.parametrize(
    ("name", "given", "encoding"),
    [
        ("a.txt", None, None),
        ("a.txt", "", None),
        ("a.txt", "gzip", "gzip"),
        ("a.txt", "identity, gzip", "gzip"),
        ("a.tar.gz", "gzip", None),
    ],
)
def test_the_encoding_is_that_which_the_name_does_not_imply(
    name: str, given: str | None, encoding: str | None
) -> None:
    part: Any = SimpleNamespace(content_encoding=given)
    assert stored_encoding(part, name) == encoding
