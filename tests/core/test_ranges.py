"""One byte range of one file, measured against Python's slices and against another reader."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.http import parse_range_header

from directlinks.core.ranges import Selection, select, still_matches

HUGE = 10**100
ETAG = '"a1b2"'
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"


def whole(size: int) -> Selection:
    return Selection(200, 0, size, size)


def unsatisfiable(size: int) -> Selection:
    return Selection(416, size, size, size)


@pytest.mark.parametrize(
    ("header", "size", "selection"),
    [
        (None, 10, whole(10)),
        ("bytes=0-0", 10, Selection(206, 0, 1, 10)),
        ("bytes=0-", 10, Selection(206, 0, 10, 10)),
        ("bytes=0-9", 10, Selection(206, 0, 10, 10)),
        ("bytes=2-5", 10, Selection(206, 2, 6, 10)),
        ("bytes=9-9", 10, Selection(206, 9, 10, 10)),
        ("bytes=9-", 10, Selection(206, 9, 10, 10)),
        ("bytes=-1", 10, Selection(206, 9, 10, 10)),
        ("bytes=-10", 10, Selection(206, 0, 10, 10)),
        ("bytes=-11", 10, Selection(206, 0, 10, 10)),
        ("bytes=5-10", 10, Selection(206, 5, 10, 10)),
        ("bytes=0000-0001", 10, Selection(206, 0, 2, 10)),
        ("BYTES=0-1", 10, Selection(206, 0, 2, 10)),
        ("bytes= \t0-1 \t", 10, Selection(206, 0, 2, 10)),
        ("bytes=0-0", 1, Selection(206, 0, 1, 1)),
        # No byte of the file is asked for.
        ("bytes=10-", 10, unsatisfiable(10)),
        ("bytes=10-12", 10, unsatisfiable(10)),
        ("bytes=-0", 10, unsatisfiable(10)),
        # A range that ends before it begins is no range.
        ("bytes=5-2", 10, whole(10)),
        ("bytes=20-19", 10, whole(10)),
        # An empty file has no range to give.
        ("bytes=0-0", 0, whole(0)),
        ("bytes=0-", 0, whole(0)),
        ("bytes=-1", 0, whole(0)),
        ("bytes=-0", 0, whole(0)),
        # Numbers beyond every file.
        (f"bytes=0-{HUGE}", 10, Selection(206, 0, 10, 10)),
        (f"bytes={HUGE}-", 10, unsatisfiable(10)),
        (f"bytes=-{HUGE}", 10, Selection(206, 0, 10, 10)),
        (f"bytes={2**63}-{2**64}", 10, unsatisfiable(10)),
        ("bytes=0-" + "9" * 120, 10, Selection(206, 0, 10, 10)),
        # Numbers that Python would not even convert.
        ("bytes=0-" + "9" * 121, 10, whole(10)),
        ("bytes=" + "9" * 5000 + "-", 10, whole(10)),
    ],
)
def test_a_range_selects(header: str | None, size: int, selection: Selection) -> None:
    assert select(header, size) == selection


@pytest.mark.parametrize(
    "header",
    [
        "bytes=0-1,3-4",
        "bytes=0-0,0-0",
        "bytes=0-1, -1",
        "bytes=0-,5-2",
        "bytes=" + ",".join(["0-9"] * 10),
        "bytes=" + ",".join(["0-9"] * 200),
        "bytes=" + ",".join(f"{first}-" for first in range(200)),
    ],
)
def test_several_ranges_select_everything(header: str) -> None:
    assert select(header, 1000) == whole(1000)


@pytest.mark.parametrize(
    "header",
    [
        "",
        " ",
        "-",
        "0-1",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=,",
        "bytes=1",
        "bytes=a-b",
        "bytes 0-1",
        "bytes =0-1",
        "bytes: 0-1",
        "items=0-1",
        "xbytes=0-1",
        "bytes=--1",
        "bytes=-1-",
        "bytes=1-2-3",
        "bytes=0 - 1",
        "bytes=0x0-0x1",
        "bytes=+0-1",
        "bytes=0_0-1",
        "bytes=0.0-1",
        "bytes=1e0-2",
        "bytes=\u0660-\u0661",
        "bytes=²-³",
        "bytes=0-1\n",
        "bytes=\n0-1",
        "bytes=0-1;",
        "bytes=0-1/10",
        "bytes=*",
        "none",
    ],
)
def test_nonsense_selects_everything(header: str) -> None:
    assert select(header, 10) == whole(10)


def test_a_range_from_first_to_last_selects_what_a_slice_holds() -> None:
    for first, last, size in product(range(7), range(7), range(1, 6)):
        content = bytes(range(size))
        selection = select(f"bytes={first}-{last}", size)
        wanted = content if last < first else content[first : last + 1]
        assert content[selection.start : selection.stop] == wanted
        assert selection.status == (200 if last < first else 206 if wanted else 416)


def test_a_range_without_an_end_selects_what_a_slice_holds() -> None:
    for first, size in product(range(7), range(1, 6)):
        content = bytes(range(size))
        selection = select(f"bytes={first}-", size)
        assert content[selection.start : selection.stop] == content[first:]
        assert selection.status == (206 if content[first:] else 416)


def test_a_suffix_selects_what_a_slice_holds() -> None:
    for suffix, size in product(range(1, 7), range(1, 6)):
        content = bytes(range(size))
        selection = select(f"bytes=-{suffix}", size)
        assert content[selection.start : selection.stop] == content[-suffix:]
        assert selection.status == 206


SIZES = st.integers(1, 2**63)


@given(SIZES, st.data())
def test_a_satisfiable_range_selects_what_werkzeug_selects(size: int, data: st.DataObject) -> None:
    """Only satisfiable single ranges are drawn, suffixes no longer than the file.

    For all else werkzeug's ``range_for_length`` answers None: for several ranges, for what cannot
    be satisfied and, against RFC 9110, for a suffix longer than the file. The tables above hold
    those.
    """
    first = data.draw(st.integers(0, size - 1))
    last = data.draw(st.integers(first, 2 * size))
    suffix = data.draw(st.integers(1, size))
    header = data.draw(
        st.sampled_from([f"bytes={first}-{last}", f"bytes={first}-", f"bytes=-{suffix}"])
    )
    parsed = parse_range_header(header)
    assert parsed is not None
    selection = select(header, size)
    assert selection.status == 206
    assert (selection.start, selection.stop) == parsed.range_for_length(size)
    assert selection.content_range == parsed.make_content_range(size).to_header()  # type: ignore[union-attr]  # None only where it cannot be satisfied


@given(
    st.text(st.characters(), max_size=200)
    | st.lists(st.sampled_from([*"0123456789-,= \t", "bytes", "bytes="]), max_size=12).map("".join),
    st.integers(0, 20),
)
def test_no_header_selects_bytes_that_are_not_there(header: str, size: int) -> None:
    for text in (header, f"bytes={header}"):
        selection = select(text, size)
        assert selection.size == size
        assert 0 <= selection.start <= selection.stop <= size
        assert selection.status in (200, 206, 416)
        assert (selection.length == 0) == (selection.status == 416 or size == 0)


@pytest.mark.parametrize(
    ("selection", "length", "content_range"),
    [
        (Selection(200, 0, 10, 10), 10, None),
        (Selection(206, 2, 6, 10), 4, "bytes 2-5/10"),
        (Selection(206, 0, 1, 1), 1, "bytes 0-0/1"),
        (Selection(416, 10, 10, 10), 0, "bytes */10"),
    ],
)
def test_a_selection_says_what_it_holds(
    selection: Selection, length: int, content_range: str | None
) -> None:
    assert (selection.length, selection.content_range) == (length, content_range)


@pytest.mark.parametrize("if_range", [None, ETAG, DATE, f" {ETAG} ", f"{DATE}\t"])
def test_a_resumed_download_goes_on_where_the_content_is_the_same(if_range: str | None) -> None:
    assert still_matches(if_range, etag=ETAG, last_modified=DATE) is True


@pytest.mark.parametrize(
    "if_range",
    [
        "",
        '"other"',
        "a1b2",
        f"W/{ETAG}",  # only a strong tag promises the same bytes
        f'{ETAG}, "other"',
        "*",
        "Sun, 06 Nov 1994 08:49:38 GMT",
        "Sun, 06 Nov 1994 08:49:36 GMT",
        "nonsense",
    ],
)
def test_a_resumed_download_begins_anew_where_it_may_be_another(if_range: str) -> None:
    assert still_matches(if_range, etag=ETAG, last_modified=DATE) is False
