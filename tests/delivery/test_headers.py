"""Headers that answers of several kinds share."""

from unicodedata import bidirectional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directlinks.delivery.headers import SANDBOX, disposition, security_policy


@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        ("a.txt", 'filename="a.txt"'),
        ("folder/a.txt", 'filename="a.txt"'),
        ("../../a.txt", 'filename="a.txt"'),
        ("a;b.txt", 'filename="a;b.txt"'),
        ("100% (1).txt", 'filename="100% (1).txt"'),
        ("no extension", 'filename="no extension"'),
        (".profile", 'filename=".profile"'),
        # Old browsers and curl take a backslash and a quote for the end, or for part of the name.
        ('a"b.txt', "filename=\"a_b.txt\"; filename*=utf-8''a%22b.txt"),
        ("a\\b.txt", "filename=\"a_b.txt\"; filename*=utf-8''a%5Cb.txt"),
        # Some browsers undo escapes in filename=.
        ("100%25.txt", "filename=\"100_25.txt\"; filename*=utf-8''100%2525.txt"),
        ("a%2Fb%0d.txt", "filename=\"a_2Fb_0d.txt\"; filename*=utf-8''a%252Fb%250d.txt"),
        # Accents are dropped, whichever way they are written.
        ("na\u00efve.txt", "filename=\"naive.txt\"; filename*=utf-8''na%C3%AFve.txt"),
        ("nai\u0308ve.txt", "filename=\"naive.txt\"; filename*=utf-8''nai%CC%88ve.txt"),
        ("Größe 2.txt", "filename=\"Gro_e 2.txt\"; filename*=utf-8''Gr%C3%B6%C3%9Fe%202.txt"),
        (
            "新 文件.txt",
            "filename=\"file.txt\"; filename*=utf-8''%E6%96%B0%20%E6%96%87%E4%BB%B6.txt",
        ),
        ("新文件", "filename=\"file\"; filename*=utf-8''%E6%96%B0%E6%96%87%E4%BB%B6"),
        ("2026 年.新", "filename=\"2026 _\"; filename*=utf-8''2026%20%E5%B9%B4.%E6%96%B0"),
        # Characters that stand for several must not become a separator or a quote.
        ("\u2100.txt", "filename=\"a_c.txt\"; filename*=utf-8''%E2%84%80.txt"),
        ("a\uff02b.txt", "filename=\"a_b.txt\"; filename*=utf-8''a%EF%BC%82b.txt"),
        ("\u2025", "filename=\"file\"; filename*=utf-8''%E2%80%A5"),
        ("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069a.txt", 'filename="a.txt"'),
        ("a\tb\x7f.txt\n", 'filename="ab.txt"'),
        (
            "عربي.txt",
            "filename=\"file.txt\"; filename*=utf-8''%D8%B9%D8%B1%D8%A8%D9%8A.txt",
        ),
    ],
)
@pytest.mark.parametrize("attachment", [False, True])
def test_every_client_reads_a_name(name: str, parameter: str, attachment: bool) -> None:
    kind = "attachment" if attachment else "inline"
    assert disposition(name, attachment=attachment) == f"{kind}; {parameter}"


@pytest.mark.parametrize(("attachment", "expected"), [(False, "inline"), (True, "attachment")])
@pytest.mark.parametrize("name", ["", "\u202e"])
def test_where_no_name_is_left_none_is_said(name: str, attachment: bool, expected: str) -> None:
    assert disposition(name, attachment=attachment) == expected


@given(name=st.text(st.characters(exclude_categories=["Cs"])), attachment=st.booleans())
def test_no_name_leaves_ascii_or_reorders_text(name: str, attachment: bool) -> None:
    header = disposition(name, attachment=attachment)
    assert header.isascii()
    assert header.isprintable()
    assert {bidirectional(character) for character in header}.isdisjoint({"RLO", "LRO"})
    assert "%E2%80%AE" not in header
    # One quoted string without escapes, so that no client can end it elsewhere.
    assert header.count('"') in (0, 2)
    assert "\\" not in header


@pytest.mark.parametrize("attachment", [False, True])
@pytest.mark.parametrize(
    ("content_type", "needed"),
    [
        ("image/png", "img-src 'self'"),
        ("IMAGE/PNG", "img-src 'self'"),
        ("audio/mpeg", "media-src 'self'"),
        ("video/mp4; codecs=avc1", "media-src 'self'"),
        ("application/pdf", "object-src 'self'"),
        # Text, what a site may name in INLINE_TYPES, and what is no type at all.
        ("text/plain", "sandbox"),
        ("text/html", "sandbox"),
        ("image/svg+xml", "sandbox"),
        ("application/json", "sandbox"),
        ("application/xml", "sandbox"),
        ("", "sandbox"),
        ("image", "img-src 'self'"),
    ],
)
def test_a_document_may_do_what_its_viewer_needs(
    content_type: str, needed: str, attachment: bool
) -> None:
    policy = security_policy(content_type, attachment=attachment)
    directives = policy.split("; ")
    assert directives[0] == "default-src 'none'"
    assert "script-src" not in policy
    if attachment:
        assert policy == SANDBOX
    else:
        assert needed in directives
        assert ("sandbox" in directives) is (needed == "sandbox")
