"""Every answer on the wire, byte by byte."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from directlinks.core import envelope
from directlinks.core.envelope import Batch, Envelope
from directlinks.core.errors import (
    ActionNotSupported,
    DirectLinksError,
    EntityNotExist,
    ErrorCode,
    LoginRequired,
    PathNotExist,
    UnknownFileSystem,
)

ID = "21e6adf9-8c4b-4d0e-8200-7ebfb235a07f"


@pytest.mark.parametrize(
    ("answer", "written"),
    [
        (envelope.success(), b'{"code":0,"msg":""}'),
        (envelope.success(None), b'{"code":0,"data":null,"msg":""}'),
        (envelope.success(""), b'{"code":0,"data":"","msg":""}'),
        (envelope.success([]), b'{"code":0,"data":[],"msg":""}'),
        (envelope.success({"b": 1, "a": 2}), b'{"code":0,"data":{"b":1,"a":2},"msg":""}'),
        (
            envelope.failure(404, "not here", correlation_id=ID),
            b'{"code":404,"msg":"not here","correlation_id":"%b"}' % ID.encode(),
        ),
        (
            envelope.failure(ErrorCode.UNKNOWN, "", correlation_id=ID, detail="why"),
            b'{"code":-1,"msg":"","error":"why","correlation_id":"%b"}' % ID.encode(),
        ),
    ],
)
def test_an_answer_is_written_with_its_keys_in_order(answer: Envelope, written: bytes) -> None:
    assert envelope.encode(answer) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("<&>", rb"\u003c\u0026\u003e"),
        ("</script>", rb"\u003c/script\u003e"),
        ("\u2028\u2029", rb"\u2028\u2029"),
        ("\u2027\u202a", "\u2027\u202a".encode()),
        ("é新😀", "é新😀".encode()),
        ("\ud800", b"\xef\xbf\xbd"),
        ("\udfff!", b"\xef\xbf\xbd!"),
        ("a\udcffb", b"a\xef\xbf\xbdb"),
        ("\ud83d\ude00", b"\xef\xbf\xbd\xef\xbf\xbd"),
        ("\ue000\ud7ff", "\ue000\ud7ff".encode()),
        ('"\\', rb"\"\\"),
        ("\a\n\t\0", rb"\u0007\n\t\u0000"),
        ("/'+ ", b"/'+ "),
    ],
)
def test_a_text_is_escaped_as_a_value_and_as_a_key(text: str, written: bytes) -> None:
    assert envelope.encode({"msg": text}) == b'{"msg":"' + written + b'"}'
    assert envelope.encode({text: 1}) == b'{"' + written + b'":1}'


@given(st.text(st.characters()))
@settings(deadline=None)
def test_what_is_written_reads_back(text: str) -> None:
    """Lone surrogates aside, which have no place in UTF-8."""
    written = envelope.encode({"msg": text})
    assert not set(b"<>&") & set(written)
    readable = "".join(
        "\ufffd" if "\ud800" <= character <= "\udfff" else character for character in text
    )
    assert json.loads(written) == {"msg": readable}


@pytest.mark.parametrize(
    ("error", "code", "msg", "detail"),
    [
        (PathNotExist(), 40016, "Path not exist", "ent: file not found"),
        (PathNotExist(element="x"), 40016, "Path not exist", "ent: file not found"),
        (UnknownFileSystem("foo"), -1, "", 'unknown file system "foo"'),
        (
            ActionNotSupported(),
            403,
            "Not supported action",
            "action '\\a' is not supported under current fs",
        ),
    ],
)
def test_an_error_tells_what_lies_beneath_in_debug_mode_only(
    error: DirectLinksError, code: int, msg: str, detail: str
) -> None:
    assert envelope.from_error(error, correlation_id=ID, debug=True) == {
        "code": code,
        "msg": msg,
        "error": detail,
        "correlation_id": ID,
    }
    assert envelope.from_error(error, correlation_id=ID, debug=False) == {
        "code": code,
        "msg": msg,
        "correlation_id": ID,
    }


def test_an_error_with_nothing_beneath_has_no_error_key_in_debug_mode_either() -> None:
    assert envelope.from_error(LoginRequired(), correlation_id=ID, debug=True) == {
        "code": 401,
        "msg": "Login required",
        "correlation_id": ID,
    }


def test_a_code_is_written_as_a_plain_number() -> None:
    answer = envelope.from_error(LoginRequired(), correlation_id=ID, debug=False)
    assert type(answer["code"]) is int


@pytest.mark.parametrize("debug", [False, True])
def test_a_complete_batch_is_a_success(debug: bool) -> None:
    batch = Batch([{"link": "l"}])
    answer = envelope.from_batch(batch, correlation_id=ID, debug=debug)
    assert envelope.encode(answer) == b'{"code":0,"data":[{"link":"l"}],"msg":""}'


def test_an_empty_batch_is_a_success_with_an_empty_list() -> None:
    answer = envelope.from_batch(Batch(), correlation_id=ID, debug=False)
    assert envelope.encode(answer) == b'{"code":0,"data":[],"msg":""}'


def test_a_partial_batch_holds_both_what_succeeded_and_what_did_not() -> None:
    batch = Batch(["link"], {"cloudreve://my/x": PathNotExist(element="x")})
    answer = envelope.from_batch(batch, correlation_id="i", debug=False)
    assert envelope.encode(answer) == (
        b'{"code":40081,"data":["link"],'
        b'"aggregated_error":{"cloudreve://my/x":'
        b'{"code":40016,"msg":"Path not exist","correlation_id":"i"}},'
        b'"msg":"failed to get target file: failed to walk into \\"x\\": '
        b'Path not exist: ent: file not found","correlation_id":"i"}'
    )


def test_a_failed_batch_has_no_data_and_in_debug_mode_tells_why() -> None:
    batch: Batch[str] = Batch(errors={"b": EntityNotExist(), "a": PathNotExist()})
    answer = envelope.from_batch(batch, correlation_id="i", debug=True)
    assert envelope.encode(answer) == (
        b'{"code":40081,"aggregated_error":{'
        b'"a":{"code":40016,"msg":"Path not exist","error":"ent: file not found",'
        b'"correlation_id":"i"},'
        b'"b":{"code":40077,"msg":"Entity not exist","correlation_id":"i"}},'
        b'"msg":"One or more operation failed",'
        b'"error":"aggregate error: one or more operation failed","correlation_id":"i"}'
    )


def test_errors_stand_in_the_order_of_their_bytes() -> None:
    """U+FF5E is before U+1F600 in UTF-8, but after it in UTF-16; a lone surrogate sorts too."""
    keys = ["😀", "\uff5e", "b", "a%", "a", "B", "é", "\ud800"]
    batch: Batch[str] = Batch(errors={key: EntityNotExist() for key in keys})
    answer = envelope.from_batch(batch, correlation_id=ID, debug=False)
    assert list(answer["aggregated_error"]) == ["B", "a", "a%", "b", "é", "\ud800", "\uff5e", "😀"]


def test_the_content_type_names_the_encoding() -> None:
    assert envelope.CONTENT_TYPE == "application/json; charset=utf-8"


def test_a_new_batch_is_complete_and_has_nothing_to_say() -> None:
    batch: Batch[str] = Batch()
    assert (batch.items, batch.errors) == ([], {})
    assert batch.is_complete is True
    assert batch.summary == ""


def test_two_batches_share_nothing() -> None:
    one: Batch[str] = Batch()
    other: Batch[str] = Batch()
    one.items.append("an item")
    one.errors["a URI"] = EntityNotExist()
    assert (other.items, other.errors) == ([], {})


@pytest.mark.parametrize(
    ("error", "summary"),
    [
        (
            PathNotExist(element="archive.zip"),
            (
                'failed to get target file: failed to walk into "archive.zip": '
                "Path not exist: ent: file not found"
            ),
        ),
        (UnknownFileSystem("foo"), 'unknown file system "foo"'),
        (EntityNotExist(), "Entity not exist"),
    ],
)
def test_a_single_error_is_told_in_full(error: DirectLinksError, summary: str) -> None:
    batch = Batch(["a link"], {"cloudreve://my/x": error})
    assert batch.is_complete is False
    assert batch.summary == summary


def test_several_errors_are_told_in_one_sentence() -> None:
    batch: Batch[str] = Batch(errors={"a": EntityNotExist(), "b": EntityNotExist()})
    assert batch.is_complete is False
    assert batch.summary == "One or more operation failed"


def test_a_batch_maps_its_items_in_order_and_keeps_its_errors() -> None:
    errors: dict[str, DirectLinksError] = {"a": EntityNotExist()}
    assert Batch([3, 1, 3], errors).map(str) == Batch(["3", "1", "3"], errors)
