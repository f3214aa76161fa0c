"""The id by which a client's report and the server's log lines find each other."""

from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from directlinks.reporting import choose_correlation_id

ID = "21e6adf9-8c4b-4d0e-8200-7ebfb235a07f"
OTHER = "00000000-0000-0000-0000-000000000001"
ZEROS = "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    "proposal",
    [
        ID,
        ID.upper(),
        ID.replace("-", ""),
        ID.replace("-", "").upper(),
        "{" + ID + "}",
        "{" + ID.upper() + "}",
        "urn:uuid:" + ID,
        "urn:uuid:" + ID.upper(),
        "URN:UUID:" + ID.upper(),
        "Urn:Uuid:" + ID,
    ],
)
def test_every_spelling_of_a_uuid_is_adopted_in_canonical_form(proposal: str) -> None:
    assert choose_correlation_id([proposal]) == ID


@pytest.mark.parametrize(
    "proposal",
    [
        None,
        "",
        "not a uuid",
        ID[:-1],
        ID + "0",
        ID + "\n",
        " " + ID,
        "{" + ID,
        ID + "}",
        "{" + ID.replace("-", "") + "}",
        "urn:uuid:{" + ID + "}",
        "urn:uuid:" + ID.replace("-", ""),
        "uuid:" + ID,
        ID.replace("-", "_"),
        "2-1e6adf98c4b4d0e82007ebfb235a07f",
        "\u0662" + ID[1:],
        "urn:uu\u0131d:" + ID,
        ZEROS,
        ZEROS.replace("-", ""),
        "{" + ZEROS + "}",
        "urn:uuid:" + ZEROS,
    ],
)
def test_anything_else_is_replaced_by_a_random_one(proposal: str | None) -> None:
    made = [choose_correlation_id([proposal]), choose_correlation_id([proposal])]
    assert made[0] != made[1]
    assert [UUID(text).version for text in made] == [4, 4]
    assert [str(UUID(text)) for text in made] == made


def test_the_first_proposal_that_is_a_uuid_is_adopted() -> None:
    assert choose_correlation_id([None, "nonsense", ZEROS, ID, OTHER]) == ID
    assert choose_correlation_id(iter([OTHER, ID])) == OTHER


def test_without_a_proposal_each_request_has_its_own() -> None:
    assert choose_correlation_id([]) != choose_correlation_id([])


@given(
    st.sampled_from(["", "{", "urn:uuid:", "URN:UUID:", "uRn:uu\u0131d:"]),
    st.uuids().map(str) | st.uuids().map(lambda uuid: uuid.hex.upper()) | st.text(st.characters()),
    st.sampled_from(["", "}", "\n"]),
)
@settings(deadline=None)
def test_whatever_a_client_sends_the_id_is_a_canonical_uuid(
    start: str, middle: str, end: str
) -> None:
    made = choose_correlation_id([start + middle + end])
    assert str(UUID(made)) == made
