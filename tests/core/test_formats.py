"""Files of links: each row is one, or says why it is none."""

import csv
import io
from datetime import date
from typing import Any

import pytest

from directlinks.core.records import FORMATS, LinkRecord, WrongFormat

ORDINARY = LinkRecord(code="abcd", owner="ann", path="a/b.txt", name="b.txt")


def read(name: str, text: str) -> list[tuple[int, Any]]:
    return list(FORMATS[name].read(io.StringIO(text, newline="")))


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("{", "Not valid JSON."),
        ("[" * 100_000, "Not valid JSON."),
        ("[]", "Not a JSON object."),
        ("{}", "It has no code and no owner and no path."),
        ('{"code": "abcd", "owner": "ann"}', "It has no path."),
        ('{"colour": 1, "age": 2}', 'Unknown: "age", "colour".'),
    ],
)
def test_a_line_that_holds_no_link_says_why(line: str, fault: str) -> None:
    ((number, error),) = read("jsonl", f"\n{line}\n")
    assert (number, str(error)) == (2, fault)


class TestCSV:
    @pytest.mark.parametrize(
        ("row", "fault"),
        [
            ("abcd,ann", "It has 2 cells, and there are 4 columns."),
            ("abcd,ann,a,1,2", "It has 5 cells, and there are 4 columns."),
            ("abcd,ann,a,{", "Not valid JSON."),
            (",ann,a,1", "It has no code."),
        ],
    )
    def test_a_row_that_holds_no_link_says_why(self, row: str, fault: str) -> None:
        found = read("csv", f"code,owner,path,downloads\r\n\r\n{row}\r\nabcd,ann,a/b.txt,\r\n")
        assert [(number, str(error)) for number, error in found[:1]] == [(3, fault)]
        assert found[1:] == [(4, ORDINARY)]

    @pytest.mark.parametrize(
        ("text", "fault"),
        [
            ("", "The first line names no code and no owner and no path."),
            ("code,owner,colour,path", 'Unknown: "colour".'),
            ("path,code,owner,path", "The first line names path twice."),
            ('code,owner,path\nabcd,ann,"a', "Line 2 is no CSV: unexpected end of data."),
        ],
    )
    def test_a_file_that_is_none_is_told(self, text: str, fault: str) -> None:
        with pytest.raises(WrongFormat) as caught:
            read("csv", text)
        assert str(caught.value) == fault

    @pytest.mark.parametrize("separator", [",", ";", "\t"])
    @pytest.mark.parametrize("quote", ["", '"'])
    def test_any_separator_of_spreadsheets_is_read(self, separator: str, quote: str) -> None:
        rows = [("code", "owner", "path", "label"), ("abcd", "ann", "a/b.txt", '"a,b;c\td"')]
        rows.insert(1, ("", "", "", ""))
        lines = [separator.join(f"{quote}{cell}{quote}" for cell in row) for row in rows[:2]]
        lines.append(separator.join(rows[2]))
        ((number, link),) = read("csv", "\r\n".join([*lines, separator * 3, ""]))
        assert (number, link.code, link.label) == (3, "abcd", "a,b;c\td")

    def test_truths_may_be_in_capitals(self) -> None:
        ((_, link),) = read("csv", "code,owner,path,paused,reusable\nabcd,ann,a,TRUE,FALSE\n")
        assert (link.paused, link.reusable) == (True, False)

    def test_a_cell_may_be_very_long(self) -> None:
        long = {date.fromordinal(number): number for number in range(1, 10_000)}
        link = LinkRecord(code="abcd", owner="a", path="a", name="a", note="x" * 200_000, days=long)
        file = io.StringIO(newline="")
        before = csv.field_size_limit()
        FORMATS["csv"].write(file, [link])
        assert read("csv", file.getvalue()) == [(2, link)]
        csv.field_size_limit(before)
