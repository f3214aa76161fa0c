"""Links as lines of a file: whatever goes in comes out."""

import io
import json
import re
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directlinks.core import paths, records
from directlinks.core.records import FORMATS, LinkRecord, escape_cell, unescape_cell

ORDINARY = LinkRecord(code="abcd", owner="ann", path="a/b.txt", name="b.txt")

storable = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
hostile = st.text(st.sampled_from("=+-@\t\r\n'\"\\,; {}[]\ufeff\u2028a1"))
texts = storable | hostile
codes = st.from_regex(r"[0-9A-Za-z_-]{4,64}", fullmatch=True)
file_paths = texts.filter(lambda text: paths.fault(text) is None)
aware = st.datetimes(timezones=st.just(UTC)).filter(lambda moment: 1 < moment.year < 9999)
moments = aware | aware.map(lambda moment: moment.replace(tzinfo=None))
numbers = st.integers(0, 2**62)


@st.composite
def link_records(draw: Any) -> LinkRecord:
    code, *former = draw(st.lists(codes, min_size=1, max_size=4, unique=True))
    optional = {
        name: draw(st.none() | moments)
        for name in (
            "trashed_at", "created_at", "last_opened_at", "not_before", "expires_at", "revoked_at"
        )
    }  # fmt: skip
    return LinkRecord(
        code=code,
        owner=draw(texts.filter(bool)),
        path=draw(file_paths),
        name=draw(file_paths.filter(lambda text: "/" not in text)),
        reusable=draw(st.booleans()),
        created_by=draw(st.none() | texts.filter(bool)),
        downloads=draw(numbers),
        max_downloads=draw(st.none() | numbers),
        paused=draw(st.booleans()),
        password=draw(texts),
        referers=draw(texts),
        ask_first=draw(st.booleans()),
        label=draw(texts),
        note=draw(texts),
        days=draw(st.dictionaries(st.dates(), numbers, max_size=3)),
        former_codes={code: draw(st.none() | moments) for code in former},
        **optional,
    )


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
@given(links=st.lists(link_records(), max_size=3))
def test_every_link_comes_back(form: Any, links: list[LinkRecord]) -> None:
    file = io.StringIO(newline="")
    form.write(file, links)
    file.seek(0)
    assert [link for _, link in form.read(file)] == links


@given(link_records())
def test_no_cell_is_computed_by_a_spreadsheet(link: LinkRecord) -> None:
    assert not [cell for cell in records.to_cells(link) if cell.lstrip()[:1] in tuple("=+-@")]


@given(link_records())
def test_a_line_of_json_is_one_line_of_ascii(link: LinkRecord) -> None:
    line = records.to_json(link)
    assert line.isascii()
    assert len(line.splitlines()) == 1


def test_a_hand_written_line_may_leave_out_most() -> None:
    assert records.from_json('{"code": "abcd", "owner": "ann", "path": "a/b.txt"}') == ORDINARY
    cells = {"code": "abcd", "owner": "ann", "path": "a/b.txt", "label": "", "downloads": ""}
    assert records.from_cells(cells) == ORDINARY


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("code", [None, 1, "abc", "a/bc", "abcd\n"]),
        ("owner", [None, 1, "a\0", "\ud800"]),
        ("path", ["/a", "a//b", "..", 1]),
        ("name", ["a/b", "..", None]),
        ("reusable", [None, 1, "true"]),
        ("paused", [None, 0]),
        ("downloads", [None, -1, 1.5, "1", True, 2**62 + 1]),
        ("max_downloads", [-1, "1", False]),
        ("expires_at", ["", "tomorrow", "0001-01-01T00:00:00Z", "9999-12-31", 1]),
        ("label", [None, 1, "\ud800"]),
        ("days", [None, [], {"2026-02-30": 1}, {"2026-01-01": -1}, {"2026-01-01": None}]),
        ("former_codes", [None, [], {"a/b": None}, {"abcde": 1}, {"abcde": "soon"}]),
    ],
)
def test_a_value_of_another_kind_is_told(name: str, values: list[Any]) -> None:
    for value in values:
        plain = {"code": "abcd", "owner": "ann", "path": "a", name: value}
        with pytest.raises(ValueError, match="This cannot be") as caught:
            records.from_json(json.dumps(plain))
        shown = "." if name in {"code", "former_codes"} else f": {value!r}"
        assert str(caught.value) == f"This cannot be its {name}{shown}"


def test_a_code_is_not_one_of_its_former_codes() -> None:
    line = records.to_json(
        LinkRecord(code="abcd", owner="a", path="a", former_codes={"abcd": None})
    )
    with pytest.raises(ValueError, match="one of its former codes"):
        records.from_json(line.replace('"name": ""', '"name": "a"'))


HOSTILE = st.text(st.sampled_from(" '=+-@\t\r\n\u00a0\u3000\uff1d\uff0b\uff0d\uff20;,\"a1"))


@given(HOSTILE | st.text())
def test_every_text_comes_back(text: str) -> None:
    assert unescape_cell(escape_cell(text)) == text


@given(HOSTILE | st.text())
def test_no_part_of_a_cell_begins_like_a_formula(text: str) -> None:
    for part in re.split(r"[,;\t\r\n]", escape_cell(text)):
        assert not re.match(r"[\s\"]*[=+\-@\uff1d\uff0b\uff0d\uff20]", part)


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("", ""),
        ("a=1", "a=1"),
        ("a - b", "a - b"),
        ("'quoted', 'twice'", "'quoted', 'twice'"),
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("  +1", "  '+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "\t'=1"),
        ("\uff1d1", "'\uff1d1"),
        ("'=1", "''=1"),
        ("a;=1+11", "a;'=1+11"),
        ('a; "=1+11', "a; \"'=1+11"),
        ("a,=1\t=2", "a,'=1\t'=2"),
        ("a\r\n=1+11", "a\r\n'=1+11"),
    ],
)
def test_what_could_be_computed_gets_an_apostrophe(text: str, cell: str) -> None:
    assert escape_cell(text) == cell
