"""Answers to PUT file/source, held against the contract that Cloudreve publishes."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as bounds
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError  # type: ignore[import-untyped]
from pytest_django.fixtures import Settings

from tests.api.clients import APIClient
from tests.examples import examples
from tests.factories import FileFactory

pytestmark = pytest.mark.django_db

CONTRACT = Draft202012Validator(json.loads(Path(__file__).with_name("contract.json").read_text()))
NAMES = ["a b.txt", "新(1)!.txt", "a&b=c,d;e$f@g.txt", "%2F#?.txt"]
URIS = st.sampled_from(
    [
        "cloudreve://my/a b.txt",
        "cloudreve://my/新(1)!.txt",
        "cloudreve://my/%25%32%46%23%3F.txt",
        "cloudreve://my/missing",
        "cloudreve://my/folder",
        "cloudreve://my/",
        "cloudreve:",
        "cloudreve://trash/a",
        "cloudreve://a:b@share/%00",
        "cloudreve://999999@my/a#fragment",
        "no uri",
        "",
    ]
)


@pytest.fixture
def api() -> APIClient:
    owner = FileFactory(path="folder/x").owner
    for name in NAMES:
        FileFactory(owner=owner, path=name)
    return APIClient(owner)


@pytest.mark.parametrize("debug", [False, True])
def test_each_answer_fits_it(debug: bool, api: APIClient, settings: Settings) -> None:
    settings.DEBUG = debug

    @bounds(max_examples=examples(60))
    @given(uris=st.lists(URIS, max_size=5))
    def check(uris: list[str]) -> None:
        CONTRACT.validate(api.put(*uris).json())

    check()


@pytest.mark.parametrize(
    "body", [b"", b"[", b"null", b"{}", b'{"uris":[1]}', b'{"uris":["x"],"paused":1}']
)
def test_each_failure_fits_it(body: bytes, api: APIClient) -> None:
    CONTRACT.validate(api.call("PUT", "file/source", body).json())
    CONTRACT.validate(APIClient().call("PUT", "file/source", body).json())


@pytest.mark.parametrize("golden", sorted(Path(__file__).parent.parent.glob("golden/*.json")))
def test_the_golden_files_fit_it(golden: Path) -> None:
    CONTRACT.validate(json.loads(golden.read_text()))


@pytest.mark.parametrize(
    "answer",
    [
        {"code": 0, "data": [{"link": "", "file_url": "cloudreve://my/a"}], "msg": ""},
        {"code": 0, "data": [], "msg": ""},
        {"code": 0, "msg": ""},
        {"code": 40081, "msg": "x", "correlation_id": "21e6adf9-8c4b-4d0e-8200-7ebfb235a07f"},
        {"code": 40001, "msg": "x"},
        {"code": 40001, "correlation_id": "21e6adf9-8c4b-4d0e-8200-7ebfb235a07f"},
    ],
)
def test_it_refuses_what_clients_could_not_read(answer: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CONTRACT.validate(answer)
