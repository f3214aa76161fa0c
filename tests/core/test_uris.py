"""The file-URI grammar: recorded answers first, then properties over texts meant to break it."""

import contextlib
import json
import posixpath
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from directlinks.core import paths
from directlinks.core.errors import ErrorCode, UnknownURI
from directlinks.core.uris import MAX_BYTES, FileURI, file_url, parse
from tests.examples import examples

_RECORDED = Path(__file__).parents[1] / "data" / "uri_vectors.jsonl"
VECTORS: list[dict[str, Any]] = [
    json.loads(line) for line in _RECORDED.read_text(encoding="utf-8").strip().split("\n")
]
READABLE = [vector for vector in VECTORS if "canonical" in vector]
UNREADABLE = [vector for vector in VECTORS if "reason" in vector]
OWN_SPACE = [vector for vector in READABLE if vector["fs"] == "my"]

# Where our answer differs from the recorded one on purpose: a file_url begins cloudreve://my/ in
# lower case and ends with the file's name, whatever query or fragment the question carried.
OUR_FILE_URLS = {
    43: "cloudreve://my/a.txt",
    46: "cloudreve://my/a.txt",
    61: "cloudreve://my/A.TXT",
}


def names_of(vector: dict[str, Any]) -> tuple[str, ...]:
    """The names of a vector; those that are not UTF-8 are recorded as hexadecimal digits."""
    if "names" in vector:
        return tuple(vector["names"])
    return tuple(
        bytes.fromhex(name).decode(errors="surrogateescape") for name in vector["names_hex"]
    )


def number_of(vector: dict[str, Any]) -> str:
    return f"vector {vector['number']}"


def cause_of(text: str) -> str:
    with pytest.raises(UnknownURI) as caught:
        parse(text)
    return caught.value.cause


def test_every_recorded_vector_is_either_readable_or_not() -> None:
    assert len(VECTORS) == 85
    assert all(("canonical" in vector) != ("reason" in vector) for vector in VECTORS)


@pytest.mark.parametrize("vector", READABLE, ids=number_of)
def test_a_recorded_uri_has_its_recorded_parts(vector: dict[str, Any]) -> None:
    assert parse(vector["text"]) == FileURI(
        fs=vector["fs"],
        user=vector["user"],
        password=vector["password"],
        path="/".join(names_of(vector)),
        canonical="",
    )


@pytest.mark.parametrize("vector", READABLE, ids=number_of)
def test_a_recorded_uri_has_its_recorded_canonical_text(vector: dict[str, Any]) -> None:
    assert parse(vector["text"]).canonical == vector["canonical"]


@pytest.mark.parametrize("vector", OWN_SPACE, ids=number_of)
def test_a_recorded_uri_of_an_own_space_has_its_file_url(vector: dict[str, Any]) -> None:
    expected = OUR_FILE_URLS.get(vector["number"], vector["file_url"])
    assert parse(vector["text"]).file_url() == expected


@pytest.mark.parametrize("vector", UNREADABLE, ids=number_of)
def test_a_recorded_text_that_is_no_uri_has_its_recorded_reason(vector: dict[str, Any]) -> None:
    assert cause_of(vector["text"]) == vector["reason"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("cloudreve://a b@my/x", "invalid userinfo"),
        ("cloudreve://é@my/x", "invalid userinfo"),
        ("cloudreve://u%zz@my/x", 'invalid URL escape "%zz"'),
        ("cloudreve://u:p%@my/x", 'invalid URL escape "%"'),
        ("cloudreve://[::1/x", "missing ']' in host"),
        ("cloudreve://[::1]x/x", 'invalid port "x" after host'),
        ("cloudreve://[::1]:x/x", 'invalid port ":x" after host'),
        ("cloudreve://my:8:a/x", 'invalid port ":a" after host'),
        ("cloudreve://%FF%/x", 'invalid URL escape "%"'),
        ("cloudreve://m|y/x", 'invalid character "|" in host name'),
        ("cloudreve://my/a#%zz", 'invalid URL escape "%zz"'),
        ("cloudreve://my/%中", 'invalid URL escape "%\\xe4\\xb8"'),
        ("cloudreve:/%g0", 'invalid URL escape "%g0"'),
        (" cloudreve://my/a", "first path segment in URL cannot contain colon"),
    ],
)
def test_a_text_that_is_no_uri_has_a_reason_that_shows_text_and_fault(
    text: str, reason: str
) -> None:
    assert cause_of(text) == f'failed to parse uri: parse "{text}": {reason}'


def test_a_control_character_may_stand_in_a_fragment_only() -> None:
    assert parse("cloudreve://my/a#\t").canonical == "cloudreve://my/a#%09"
    assert cause_of("cloudreve://my/a?\t").endswith("invalid control character in URL")


def test_the_one_error_is_a_parameter_error_without_a_context() -> None:
    with pytest.raises(UnknownURI) as caught:
        parse("cloudreve://my/%")
    error = caught.value
    assert (error.code, error.msg) == (ErrorCode.INVALID_PARAMETERS, "unknown uri")
    assert error.__suppress_context__ is True


def test_the_longest_uri_is_counted_in_bytes() -> None:
    start = "cloudreve://my/"
    longest = start + "é" * ((MAX_BYTES - len(start)) // 2) + "a"
    assert len(longest.encode()) == MAX_BYTES
    assert parse(longest).path == longest.removeprefix(start)
    assert cause_of(longest + "a").endswith(f": longer than {MAX_BYTES} bytes")


def test_a_reason_shows_no_more_than_200_characters_of_the_text() -> None:
    assert cause_of("%" + "a" * 199) == "unknown scheme: "
    assert cause_of("1" * 199 + ":").startswith(f'failed to parse uri: parse "{"1" * 199}:": ')
    assert cause_of("1" * 200 + ":").startswith(f'failed to parse uri: parse "{"1" * 200}…": ')


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("cloudreve://my/a#", "cloudreve://my/a"),
        ("cloudreve://my/a#b c", "cloudreve://my/a#b%20c"),
        ("cloudreve://my/a#[b]'?/%41", "cloudreve://my/a#[b]'?/%41"),
        ("cloudreve://my/a#b\"'", "cloudreve://my/a#b%22%27"),
        ("cloudreve://my/a??b c#d#e", "cloudreve://my/a??b c#d%23e"),
        ("cloudreve://u:@my/a", "cloudreve://u:@my/a"),
        ("cloudreve://:@/a", "cloudreve://:@/a"),
        ("cloudreve://%40%3a%2F@my/a", "cloudreve://%40%3A%2F@my/a"),
        ("cloudreve://%e6%88%91/a", "cloudreve://%E6%88%91/a"),
        ("cloudreve://", "cloudreve:"),
        ("cloudreve:///", "cloudreve:"),
        ("cloudreve://?q", "cloudreve:?q"),
        ("cloudreve:my a?q#f g", "cloudreve:my a?q#f%20g"),
        ("cloudreve://my/a/./b", "cloudreve://my/a/./b"),
        ("cloudreve://my/\ud800", "cloudreve://my/%ED%A0%80"),
    ],
)
def test_the_canonical_text_keeps_what_may_stand_and_escapes_the_rest(
    text: str, canonical: str
) -> None:
    assert parse(text).canonical == canonical


def test_a_path_of_two_slashes_never_reads_back_as_a_file_system() -> None:
    """Written without the extra slashes, ``my`` would become the file system of another file."""
    uri = parse("cloudreve:/%2Fmy/a b")
    assert (uri.fs, uri.path) == ("", "my/a b")
    assert uri.canonical == "cloudreve:////my/a%20b"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cloudreve://my/a", "CLOUDREVE://MY/a"),
        ("cloudreve://my/a!", "cloudreve://my/a!/"),
        ("cloudreve://my/a", "cloudreve://my//x/../%61?q#f"),
        ("cloudreve://my", "cloudreve://my/.."),
        ("cloudreve://my/a/b", "cloudreve://my/a%2Fb"),
        ("cloudreve://u@my/é", "cloudreve://%75@my/%c3%a9"),
    ],
)
def test_two_spellings_of_one_file_are_equal(one: str, other: str) -> None:
    assert parse(one) == parse(other)
    assert hash(parse(one)) == hash(parse(other))
    assert parse(one).canonical != parse(other).canonical


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cloudreve://my/a", "cloudreve://my/A"),
        ("cloudreve://my/é", "cloudreve://my/e\u0301"),
        ("cloudreve://my/a", "cloudreve://@my/a"),
        ("cloudreve://u@my/a", "cloudreve://U@my/a"),
        ("cloudreve://u@my/a", "cloudreve://u:@my/a"),
        ("cloudreve://my/a", "cloudreve://my:80/a"),
        ("cloudreve://my/a b", "cloudreve://my/a+b"),
        ("cloudreve://my/%2F", "cloudreve://my/%252F"),
        ("cloudreve://my/\udcff", "cloudreve://my/%FF"),
    ],
)
def test_two_files_are_never_equal(one: str, other: str) -> None:
    assert parse(one) != parse(other)


def test_a_parsed_uri_does_not_change() -> None:
    with pytest.raises(AttributeError):
        parse("cloudreve://my/a").user = "somebody else"  # type: ignore[misc]  # what is tested


def test_a_file_url_shows_neither_password_nor_query_nor_fragment() -> None:
    text = "cloudreve://u%20v:secret@My//a/../b!c/?q#f"
    assert parse(text).file_url() == "cloudreve://u%20v@my/b!c"


# Fragments at which parsers of URLs stumble. SOUND ones may stand in any path; BROKEN ones end or
# spoil it.
SOUND = [
    *("%2F", "%2f", "%00", "%0A", "%FF", "%C3%A9", "%c3", "%ED%A0%80", "%25", "%2e", "%23", "%3F"),
    *(".", "..", "...", "/", "//", "/./", "/../", "@", ":", "[", "]", "+", " ", "!", "~", "\\"),
    *(
        '"',
        "<",
        ">",
        "{",
        "|",
        "^",
        "`",
        "a",
        "Z",
        "9",
        "my",
        "é",
        "e\u0301",
        "😀",
        "\x85",
        "\u2028",
    ),
    *("\ud800", "\udcff", "\ud83d\ude00", "\ufffd"),
]
BROKEN = ["%", "%z", "%4", "#", "?", "#%", "\x00", "\n", "\x7f", "[::1", ":80", ":x"]
ANYTHING = st.text(st.characters(), max_size=20)

PATHS = st.lists(st.sampled_from(SOUND), max_size=8).map("".join)
WALKS = st.lists(st.sampled_from(["a", "b", "..", ".", "", "%2e%2E", "c%2F..", "é"])).map("/".join)
USERINFOS = st.sampled_from(
    ["", "@", "u@", "U@", "u:@", ":p@", "u:p:q@", "u@v@", "%2F%00@", "%FF@", "%3a:%40@", "!$&'*@"]
)
HOSTS = st.sampled_from(
    [
        *("", "my", "My", "share", "trash", "my.", "my:80", "my:", "a:b:1", "[::1]", "[::1]:8"),
        *("[]", "我的", "%e6%88%91", "%FF", "\ud800", "İ", 'a<b>"', "!$&'()*+,;="),
    ]
)
TAILS = st.sampled_from(["", "?", "??", "?a=é b", "?/@:#", "#", "#f", "#%2F", "#é?#", "?\ud800#\n"])
SOUND_URIS = st.one_of(
    st.builds(
        "{}://{}{}/{}{}".format,
        st.sampled_from(["cloudreve", "CloudReve"]),
        USERINFOS,
        HOSTS,
        PATHS,
        TAILS,
    ),
    st.builds("cloudreve:/{}{}".format, PATHS.filter(lambda path: not path.startswith("/")), TAILS),
    st.builds("cloudreve:a{}{}".format, PATHS, TAILS),
)
STARTS = [
    "cloudreve://",
    "cloudreve:/",
    "cloudreve:",
    "cloudreve://my/",
    "cloudreve://u:p@",
    "http:",
]
TEXTS = st.builds(
    "{}{}".format,
    st.sampled_from(["", *STARTS]),
    st.lists(st.sampled_from(SOUND + BROKEN) | ANYTHING, max_size=8).map("".join),
)


@given(TEXTS)
@settings(deadline=None, max_examples=examples(500))
def test_any_text_is_read_or_refused_with_the_one_error(text: str) -> None:
    with contextlib.suppress(UnknownURI):
        uri = parse(text)
        assert parse(uri.canonical) == uri


@given(SOUND_URIS)
@example("cloudreve:/%2Fmy/a b")
@example("cloudreve:////a")
@example("cloudreve://@")
@settings(deadline=None, max_examples=examples(500))
def test_the_canonical_text_names_the_same_file(text: str) -> None:
    uri = parse(text)
    assert parse(uri.canonical) == uri


@given(USERINFOS, HOSTS, PATHS)
@settings(deadline=None)
def test_the_canonical_text_of_a_path_is_ascii(userinfo: str, host: str, path: str) -> None:
    assert parse(f"cloudreve://{userinfo}{host}/{path}#é").canonical.isascii()


@given(PATHS | WALKS)
@example("a/b/../c")
@settings(deadline=None)
def test_a_path_is_cleaned_as_posix_cleans_it(path: str) -> None:
    decoded = unquote_to_bytes(path.encode("utf-8", "surrogatepass"))
    cleaned = posixpath.normpath(b"/" + decoded).lstrip(b"/")
    assert parse(f"cloudreve://my/{path}").path == cleaned.decode("utf-8", "surrogateescape")


@given(PATHS | WALKS)
@settings(deadline=None)
def test_no_path_climbs_out_of_its_space(path: str) -> None:
    cleaned = parse(f"cloudreve://my/{path}").path
    assert cleaned == "" or not {"", ".", ".."}.intersection(cleaned.split("/"))


NAMES = st.lists(
    st.sampled_from([fragment for fragment in SOUND + BROKEN if "/" not in fragment])
    | st.text(max_size=3),
    max_size=6,
).map("".join)
STORABLE_PATHS = (
    st.lists(NAMES, min_size=1, max_size=4)
    .map("/".join)
    .filter(lambda path: paths.fault(path) is None)
)
USERS = st.none() | st.integers().map(str) | st.uuids().map(str) | st.text(max_size=20)


@given(STORABLE_PATHS, USERS)
@example("/".join(["😀" * 63] * 16)[: paths.MAX_CHARACTERS], "1")
@settings(deadline=None)
def test_a_file_url_reads_back_to_its_path_and_user(path: str, user: str | None) -> None:
    uri = parse(file_url(path, user))
    assert (uri.fs, uri.user, uri.password, uri.path) == ("my", user, None, path)
    assert uri.file_url() == file_url(path, user)


@given(STORABLE_PATHS, USERS)
@settings(deadline=None)
def test_a_file_url_is_canonical(path: str, user: str | None) -> None:
    assert parse(file_url(path, user)).canonical == file_url(path, user)


@given(SOUND_URIS)
@settings(deadline=None)
def test_asking_for_the_file_url_of_a_file_url_changes_nothing(text: str) -> None:
    shown = parse(text).file_url()
    assert parse(shown).file_url() == shown
