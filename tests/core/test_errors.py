"""The error family: its tree, its numbers and its sentences."""

import pickle
import re
from collections.abc import Iterator

import pytest

from directlinks.core import errors
from directlinks.core.errors import DirectLinksError, ErrorCode

_DRAWN_LINE = re.compile(
    r"^ {4}(?P<branch>[│├└─ ]*)(?P<name>[A-Z]\w+) +(?P<code>-?\d+\b)?", re.MULTILINE
)


def drawn_tree() -> Iterator[tuple[str, str | None, int | None]]:
    """Name, parent and number of each error as the docstring draws them."""
    above: list[str] = []
    for line in _DRAWN_LINE.finditer(errors.__doc__ or ""):
        depth = len(line["branch"]) // 4
        del above[depth:]
        parent = above[-1] if above else None
        above.append(line["name"])
        yield line["name"], parent, int(line["code"]) if line["code"] else None


FAMILY = [
    error
    for error in vars(errors).values()
    if isinstance(error, type) and issubclass(error, DirectLinksError)
]


def parent_of(error: type[DirectLinksError]) -> str | None:
    return None if error is DirectLinksError else error.__bases__[0].__name__


def test_the_tree_that_is_drawn_is_the_tree_that_is() -> None:
    drawn = [(name, parent) for name, parent, _ in drawn_tree()]
    assert sorted(drawn, key=str) == sorted(
        [(error.__name__, parent_of(error)) for error in FAMILY], key=str
    )


def test_the_numbers_that_are_drawn_are_the_numbers_that_are() -> None:
    drawn = {name: code for name, _, code in drawn_tree() if code is not None}
    assert drawn == {error.__name__: error.code for error in FAMILY if error.__name__ in drawn}


def test_an_error_drawn_without_a_number_only_groups_others() -> None:
    unnumbered = {name for name, _, code in drawn_tree() if code is None}
    assert unnumbered == {"StorageError", "URIError", "TargetError", "TicketError"}
    assert unnumbered <= {parent_of(error) for error in FAMILY}
    assert not any("code" in vars(getattr(errors, name)) for name in unnumbered)


@pytest.mark.parametrize(
    ("status", "codes"),
    [
        (200, {0, 40081}),
        (400, {40001, 40014, 40074}),
        (401, {401, 40020, 40080}),
        (403, {403, 40005, 40007, 40018, 40071, 40082}),
        (404, {404, 40016, 40077}),
        (410, {410}),
        (500, {-1}),
        (502, {502}),
        (503, {503}),
        (504, {504}),
    ],
)
def test_codes_have_their_http_status(status: int, codes: set[int]) -> None:
    assert {code for code in ErrorCode if code.http_status == status} == codes


@pytest.mark.parametrize("code", ErrorCode)
def test_every_code_has_an_http_status(code: ErrorCode) -> None:
    assert 200 <= code.http_status < 600


def test_every_number_belongs_to_an_answer() -> None:
    """Success and an incomplete batch are no errors; every other code has a class that uses it."""
    used = {error.code for error in FAMILY}
    assert set(ErrorCode) - used == {ErrorCode.SUCCESS, ErrorCode.BATCH_NOT_COMPLETED}


@pytest.mark.parametrize(
    ("error", "msg", "text"),
    [
        (DirectLinksError(), "", ""),
        (DirectLinksError("what"), "what", "what"),
        (DirectLinksError(cause="why"), "", "why"),
        (DirectLinksError("what", cause="why"), "what", "what: why"),
        (errors.InvalidParameters(), "Parameter error", "Parameter error"),
        (errors.UnknownURI(cause="why"), "unknown uri", "unknown uri: why"),
        (errors.LinksSwitchedOff(), "", ""),
        (errors.TooManyURIs(), "", ""),
        (
            errors.BatchAboveCeiling(3000),
            "Maximum allowed batch size: 3000",
            "Maximum allowed batch size: 3000",
        ),
        (errors.UnknownFileSystem(""), "", 'unknown file system ""'),
        (errors.UnknownFileSystem('a"b'), "", 'unknown file system "a\\"b"'),
        (
            errors.ActionNotSupported(),
            "Not supported action",
            "Not supported action: action '\\a' is not supported under current fs",
        ),
        (
            errors.ShareNotFound(),
            "Shared file does not exist",
            "failed to get target file: Shared file does not exist",
        ),
        (
            errors.ForeignSpace(),
            "Permission denied",
            "failed to get target file: Permission denied",
        ),
        (
            errors.PathNotExist(),
            "Path not exist",
            "failed to get target file: Path not exist: ent: file not found",
        ),
        (
            errors.PathNotExist(cause="invalid user id"),
            "Path not exist",
            "failed to get target file: Path not exist: invalid user id",
        ),
        (
            errors.PathNotExist(element='a"\\é'),
            "Path not exist",
            (
                'failed to get target file: failed to walk into "a\\"\\\\é": '
                "Path not exist: ent: file not found"
            ),
        ),
        (errors.EntityNotExist(), "Entity not exist", "Entity not exist"),
        (errors.NotAFile(1, "a"), "Entity not exist", "Entity not exist"),
        (errors.LinkNotFound(), "direct link not found", "direct link not found"),
        (errors.NotYourLink(), "Direct link not found", "Direct link not found"),
        (errors.LinkExpired(), "Direct link expired", "Direct link expired"),
        (errors.LinkUsedUp(), "Direct link used up", "Direct link used up"),
    ],
)
def test_an_error_has_a_message_and_a_sentence(
    error: DirectLinksError, msg: str, text: str
) -> None:
    assert error.msg == msg
    assert error.text == text
    assert str(error) == text


def test_an_error_carries_what_it_is_about() -> None:
    assert errors.BatchAboveCeiling(5).ceiling == 5
    assert errors.UnknownFileSystem("foo").fs == "foo"
    assert errors.PathNotExist(element="x").element == "x"
    assert errors.PathNotExist().element is None


def test_one_error_leaves_its_class_as_it_was() -> None:
    errors.PathNotExist(element="x", cause="y")
    errors.InvalidParameters("z", cause="y")
    assert errors.PathNotExist().text.endswith("target file: Path not exist: ent: file not found")
    assert errors.InvalidParameters().text == "Parameter error"


@pytest.mark.parametrize(
    "error",
    [
        errors.LoginRequired(),
        errors.InvalidParameters("z", cause="y"),
        errors.PathNotExist(element="x"),
        errors.BatchAboveCeiling(5),
        errors.UnknownFileSystem("foo"),
        errors.StorageUnavailable(cause="The storage is busy.", seconds=17),
    ],
)
def test_an_error_survives_the_way_to_another_process(error: DirectLinksError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert (copy.code, copy.text) == (error.code, error.text)
    assert vars(copy) == vars(error)
