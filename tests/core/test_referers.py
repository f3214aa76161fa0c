"""The sites that may lead to a link."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directlinks.core import referers

TWO = "Example.org\n\n  forum.example.com \r\n"


def test_each_line_is_a_host() -> None:
    assert referers.hosts(TWO) == ["example.org", "forum.example.com"]
    assert referers.hosts(" \n ") == []


@pytest.mark.parametrize(
    "text",
    ["", TWO, "localhost", "127.0.0.1", "xn--bcher-kva.example", "a_b.example", "a." + "b" * 251],
)
def test_hosts_are_accepted(text: str) -> None:
    assert referers.fault(text) is None


@pytest.mark.parametrize(
    "line",
    [
        "https://example.org",
        "example.org/path",
        "example.org:80",
        "bücher.example",
        "-a.example",
        "a-.example",
        "a..example",
        ".example",
        "*.example",
        "a b",
        "a." + "b" * 252,
    ],
)
def test_what_is_no_host_is_named(line: str) -> None:
    assert referers.fault(f"example.org\n{line}\nlocalhost") == line


@pytest.mark.parametrize(
    ("referer", "allowed"),
    [
        ("https://example.org/page?x#y", True),
        ("https://EXAMPLE.org:8443/", True),
        ("http://user:word@example.org/", True),
        ("https://www.example.org/", True),
        ("https://forum.example.com/", True),
        ("https://example.com/", False),
        ("https://notexample.org/", False),
        ("https://example.org.evil.example/", False),
        ("https://evil.example/example.org", False),
        ("https://example.org@evil.example/", False),
        ("example.org", False),
        ("https://[example.org/", False),
        ("", False),
        (None, False),
    ],
)
def test_a_host_and_its_subdomains_may_lead_to_the_link(referer: str | None, allowed: bool) -> None:
    assert referers.allows(TWO, referer) is allowed


@given(referer=st.none() | st.text())
def test_without_hosts_everybody_may(referer: str | None) -> None:
    assert referers.allows("\n", referer)


@given(referer=st.text())
def test_no_text_in_the_header_is_too_much(referer: str) -> None:
    assert referers.allows("example.invalid", referer) in (True, False)
