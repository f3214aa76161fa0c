"""Tokens that the site has signed, with claims of kinds that it never issues: 401, never 500."""

import base64
import json
from typing import Any

import jwt
import pytest
from django.conf import settings as django_settings
from hypothesis import given
from hypothesis import settings as bounds
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from tests.api.clients import APIClient
from tests.examples import examples
from tests.factories import UserFactory
from tests.pairs import pairwise

pytestmark = pytest.mark.django_db

MISSING = ...
FAR = 4_102_444_800  # the year 2100

# Values of claims that differ from what a login gives.
VALUES: dict[str, list[Any]] = {
    "exp": [
        *(str(FAR), "soon", "", None, [], {}, [FAR], True, MISSING),
        *(-1, 0, -(10**18), 10**12, 10**18, 10**400, -1.5, 1e308),
        *(float("inf"), float("-inf"), float("nan")),
    ],
    "user_id": [
        *([], [1], {}, {"id": 1}, None, True, False, 1.0, 1.5, 10**30, -1),
        *("", "0", " 1", "01", "1\0", "\ud800", "9" * 5000, MISSING),
    ],
    "token_type": [[], {}, None, True, 1, "sliding", "ACCESS", MISSING],
    "jti": [MISSING, None, [], {}, True, 1, 1.5],
    "iat": [None, [], {}, "now", 10**400],
    "nbf": [None, [], {}, "now", 10**400],
    "sub": [[], {}, 1],
}
ODD = [{name: value} for name, values in VALUES.items() for value in values]


def signed(claims: dict[str, Any]) -> str:
    """A token with ``claims`` that this site has signed."""
    payload = {name: value for name, value in claims.items() if value is not MISSING}
    key = django_settings.SECRET_KEY
    return jwt.api_jws.encode(json.dumps(payload).encode(), key, algorithm="HS256")


def usual(user: Any, kind: str) -> dict[str, Any]:
    return {"user_id": str(user.pk), "token_type": kind, "exp": FAR, "jti": "0" * 32}


def answers(claims: dict[str, Any], kind: str) -> dict[str, Any]:
    """What every call answers that a token of this kind is for, by its name."""
    text = signed(claims)
    body = {"refresh_token": text}
    client = APIClient(Authorization=f"Bearer {text}")
    if kind == "access":
        return {"file/source": client.get("file/source")}
    return {
        "refresh": APIClient().call("POST", "session/token/refresh", body),
        "logout": APIClient().call("DELETE", "session/token", body),
    }


def is_unauthorised(answer: Any) -> bool:
    return answer.status_code == 401 and answer.json()["code"] in (401, 40020)


@pairwise(odd=ODD, kind=["access", "refresh"], ends_after_rotation=[False, True])
def test_a_claim_of_another_kind_is_a_401(
    odd: dict[str, Any], kind: str, ends_after_rotation: bool, settings: Settings
) -> None:
    settings.SIMPLE_JWT = {"BLACKLIST_AFTER_ROTATION": ends_after_rotation}
    user = UserFactory(pk=1)
    for name, answer in answers(usual(user, kind) | odd, kind).items():
        # A logout asks for no user and no kind of token.
        is_fine = name == "logout" and answer.status_code == 200
        assert is_unauthorised(answer) or (is_fine and "exp" not in odd), (name, answer.content)


@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_the_usual_claims_are_good(kind: str) -> None:
    for answer in answers(usual(UserFactory(), kind), kind).values():
        assert (answer.status_code, answer.json()["code"]) == (200, 0)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
NAMES = ["exp", "user_id", "token_type", "jti", "iat", "nbf", "sub", "state_hash", "root_token_id"]


@given(st.dictionaries(st.sampled_from(NAMES), JSON), st.sampled_from(["access", "refresh"]))
@bounds(max_examples=examples(60), deadline=None)
def test_no_claims_are_an_error_of_the_server(odd: dict[str, Any], kind: str) -> None:
    for answer in answers(usual(UserFactory(), kind) | odd, kind).values():
        assert is_unauthorised(answer) or answer.status_code == 200, answer.content


@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_a_header_of_ten_thousand_brackets_is_no_token(kind: str) -> None:
    head = base64.urlsafe_b64encode(b"[" * 10_000).rstrip(b"=").decode()
    text = f"{head}.e30.x"
    if kind == "access":
        answer = APIClient(Authorization=f"Bearer {text}").get("file/source")
    else:
        answer = APIClient().call("POST", "session/token/refresh", {"refresh_token": text})
    assert is_unauthorised(answer)
