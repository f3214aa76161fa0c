"""Links as they are pasted, whatever the file is called."""

import shlex
from html.parser import HTMLParser
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from directlinks.core.snippets import snippets

URL = "https://files.example.org/f/2Kf9/a.txt"
NASTY = "a] [b](x) \"c\" <script> 'd' & `e` $(f) \\g.txt"


class Elements(HTMLParser):
    """The elements of a piece of HTML, with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_file_is_linked_to() -> None:
    assert snippets(URL, "a.txt", "text/plain; charset=utf-8") == {
        "plain": URL,
        "markdown": f"[a.txt]({URL})",
        "html": f'<a href="{URL}">a.txt</a>',
        "bbcode": f"[url={URL}]a.txt[/url]",
        "curl": f"curl -fL -o a.txt {URL}",
    }


@pytest.mark.parametrize("content_type", ["image/png", "IMAGE/SVG+XML", "image/webp; q=1"])
def test_an_image_is_embedded(content_type: str) -> None:
    found = snippets(URL, "a.png", content_type)
    assert found["markdown"] == f"![a.png]({URL})"
    assert found["html"] == f'<img src="{URL}" alt="a.png">'
    assert found["bbcode"] == f"[img]{URL}[/img]"
    assert found["plain"] == URL


@pytest.mark.parametrize(
    "content_type", ["image/tiff", "image/heic", "image", "", "text/image/png"]
)
def test_an_image_that_browsers_do_not_show_is_linked_to(content_type: str) -> None:
    assert snippets(URL, "a", content_type)["html"].startswith("<a ")


def test_of_a_link_that_asks_first_none_embeds_and_curl_sends_a_post() -> None:
    assert snippets(URL, "a.png", "image/png", ask_first=True) == {
        "plain": URL,
        "markdown": f"[a.png]({URL})",
        "html": f'<a href="{URL}">a.png</a>',
        "bbcode": f"[url={URL}]a.png[/url]",
        "curl": f"curl -fL -d '' -o a.png {URL}",
    }


def test_a_name_full_of_brackets_is_escaped_where_that_can_be_done() -> None:
    found = snippets(URL, NASTY, "text/plain")
    assert found["markdown"] == (
        "[a\\] \\[b\\](x) \"c\" \\<script\\> 'd' \\& \\`e\\` \\$(f) \\\\g.txt](" + URL + ")"
    )
    assert found["html"] == (
        f'<a href="{URL}">a] [b](x) &quot;c&quot; &lt;script&gt; '
        "&#x27;d&#x27; &amp; `e` $(f) \\g.txt</a>"
    )
    assert "[url=" + URL + "]a) (b)(x)" in found["bbcode"]


@pytest.mark.parametrize(
    ("name", "place"),
    [("-rf", "./-rf"), ("-", "./-"), ("a b", "a b"), ("$(x)`y`!", "$(x)`y`!"), ("a\nb", "a b")],
)
def test_the_command_line_saves_under_the_name(name: str, place: str) -> None:
    command = snippets(URL, name, "")["curl"]
    assert shlex.split(command) == ["curl", "-fL", "-o", place, URL]


def test_a_host_keeps_its_brackets_and_the_rest_has_none() -> None:
    found = snippets('http://[::1]:8000/f/x/a(1)[2]"<>\\ `;é', "a", "")
    assert found["plain"] == "http://[::1]:8000/f/x/a%281%29%5B2%5D%22%3C%3E%5C%20%60%3B%C3%A9"


def test_a_path_alone_is_taken_too() -> None:
    assert snippets("/f/x/a b", "a", "")["plain"] == "/f/x/a%20b"


@example(name=NASTY)
@example(name="\u202ecod.exe\u2028\r\n")
@given(name=st.text(min_size=1))
@pytest.mark.parametrize("content_type", ["image/png", "text/plain"])
def test_no_name_gets_out_of_its_place(name: str, content_type: str) -> None:
    url = f"https://example.org/f/x/{quote(name, safe='-_.~$&+:=@')}"
    found = snippets(url, name, content_type)
    assert found["plain"] == url
    assert all(len(text.splitlines()) == 1 for text in found.values())

    elements = Elements(found["html"])
    ((tag, attributes),) = elements.found
    assert attributes.get("src" if tag == "img" else "href") == url
    assert set(attributes) <= {"src", "alt", "href"}

    text, destination = found["markdown"].removesuffix(")").rsplit("](", 1)
    assert destination == url
    unescaped = text.removeprefix("!").removeprefix("[").replace("\\\\", "")
    bare = "".join(part[1:] if place else part for place, part in enumerate(unescaped.split("\\")))
    assert not set("[]`<>*_&$|~") & set(bare)

    assert found["bbcode"].count("[") == found["bbcode"].count("]") == 2

    command = shlex.split(found["curl"])
    assert (len(command), command[-1]) == (5, url)
