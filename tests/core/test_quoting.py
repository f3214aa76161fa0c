"""Text from strangers on one line."""

import pytest

from directlinks.core.quoting import in_order, quoted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", '""'),
        ("a b'c", '"a b\'c"'),
        ('"\\', r'"\"\\"'),
        ("\a\b\f\n\r\t\v", r'"\a\b\f\n\r\t\v"'),
        ("\0\x1b\x7f", r'"\x00\x1b\x7f"'),
        ("é新😀e\u0301", '"é新😀e\u0301"'),
        ("\x85\xa0\xad", r'"\u0085\u00a0\u00ad"'),
        ("\u2028\ufeff\ue000", r'"\u2028\ufeff\ue000"'),
        ("\U000e0001", r'"\U000e0001"'),
        (b"\xff\x80".decode(errors="surrogateescape"), r'"\xff\x80"'),
        ("\ud800\udc7f\udd00", r'"\ud800\udc7f\udd00"'),
    ],
)
def test_a_quoted_text_is_one_printable_line(text: str, shown: str) -> None:
    assert quoted(text) == shown
    assert shown.isprintable()


@pytest.mark.parametrize(
    ("text", "left"), [("\u202efdp.exe", "fdp.exe"), ("a\u2066b\u2069c", "abc"), ("שלום", "שלום")]
)
def test_characters_that_reorder_a_text_are_left_out(text: str, left: str) -> None:
    assert in_order(text) == left
