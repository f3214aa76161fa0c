"""Snippets of a link for a web page, a message, a forum or a terminal.

The name of a file is untrusted text, and each of these languages has characters that would end its
own brackets. They are escaped where the language has an escape, and replaced if it has none.
"""

import html
import re
import shlex
from urllib.parse import quote, urlsplit

from directlinks.core.paths import strip_bidi_controls

# What browsers show where a page embeds it.
_EMBEDDED = {
    "image/apng", "image/avif", "image/bmp", "image/gif", "image/jpeg", "image/png",
    "image/svg+xml", "image/vnd.microsoft.icon", "image/webp", "image/x-icon",
}  # fmt: skip

_MARKDOWN = re.compile(r"[\\`*_\[\]<>&~|$:@]")
# What a URL may hold bare in every one of these languages, beside letters and digits.
_URL_BARE = "%/:?#@!$&'*+,=-._~"
_LINE_BREAKING = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def snippets(url: str, name: str, content_type: str, *, ask_first: bool = False) -> dict[str, str]:
    """Return ``url`` of a file called ``name``, by the language in which it is written.

    plain, markdown, html, bbcode and curl, a command line for a POSIX shell. Images that browsers
    show are embedded in the three that can, unless the link asks first: then no page can embed
    them, and curl has to send a POST.
    """
    url = _bare(url)
    shown = _on_one_line(name)
    is_image = not ask_first and content_type.partition(";")[0].strip().lower() in _EMBEDDED
    return {
        "plain": url,
        "markdown": _markdown(url, shown, is_image=is_image),
        "html": _html(url, shown, is_image=is_image),
        "bbcode": _bbcode(url, shown, is_image=is_image),
        "curl": _curl(url, shown, "-fL -d ''" if ask_first else "-fL"),
    }


def _bare(url: str) -> str:
    """Return ``url`` with its path and query free of brackets, quotes and blanks."""
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
    return origin + quote(url.removeprefix(origin), safe=_URL_BARE)


def _on_one_line(name: str) -> str:
    """Return ``name`` without line breaks and bidi controls."""
    return _LINE_BREAKING.sub(" ", strip_bidi_controls(name))


def _markdown(url: str, name: str, *, is_image: bool) -> str:
    text = _MARKDOWN.sub(r"\\\g<0>", name)
    return f"{'!' if is_image else ''}[{text}]({url})"


def _html(url: str, name: str, *, is_image: bool) -> str:
    address, text = html.escape(url), html.escape(name)
    if is_image:
        return f'<img src="{address}" alt="{text}">'
    return f'<a href="{address}">{text}</a>'


def _bbcode(url: str, name: str, *, is_image: bool) -> str:
    if is_image:
        return f"[img]{url}[/img]"
    # There is no escape that every forum knows, and a bracket would end the tag.
    return f"[url={url}]{name.replace('[', '(').replace(']', ')')}[/url]"


def _curl(url: str, name: str, options: str) -> str:
    # A name that begins with a dash would look like an option, and "-" is the terminal.
    place = f"./{name}" if name.startswith("-") else name
    return f"curl {options} -o {shlex.quote(place)} {shlex.quote(url)}"
