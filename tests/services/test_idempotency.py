"""Requests that a client may send again."""

import secrets
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from pytest_django.fixtures import Settings

from directlinks.core.errors import InvalidParameters, KeyReused
from directlinks.datetimes import as_stored
from directlinks.models import File, IdempotentRequest
from directlinks.services.idempotency import MOST_BYTES, run_once
from tests.factories import FileFactory, UserFactory

pytestmark = pytest.mark.django_db

NOW = as_stored(datetime(2026, 5, 4, 12, tzinfo=UTC))
DAY = timedelta(days=1)


class Counted:
    """An answer that tells how often it was worked out."""

    def __init__(self, error: Exception | None = None, failures: int = 0) -> None:
        self.times = 0
        self.error = error
        self.failures = failures

    def __call__(self) -> str:
        self.times += 1
        if self.error is not None and self.times <= self.failures:
            raise self.error
        return f"answer {self.times}"


@pytest.fixture
def user() -> Any:
    return UserFactory()


def ask(answer: Callable[[], str], user: Any, **changes: Any) -> str:
    request = {"key": "k", "request": b"r", "now": NOW, **changes}
    return run_once(answer, user=user, **request)


def test_the_same_request_is_done_once(user: Any) -> None:
    answer = Counted()
    assert [ask(answer, user) for _ in range(3)] == ["answer 1"] * 3
    assert answer.times == 1


@pytest.mark.parametrize("key", ["other", "K", "k ", "x" * 255])
def test_another_key_is_another_request(user: Any, key: str) -> None:
    answer = Counted()
    assert [ask(answer, user), ask(answer, user, key=key)] == ["answer 1", "answer 2"]


def test_keys_of_others_are_no_concern(user: Any) -> None:
    answer = Counted()
    assert [ask(answer, user), ask(answer, UserFactory())] == ["answer 1", "answer 2"]


def test_the_key_of_another_request_is_refused(user: Any) -> None:
    answer = Counted()
    ask(answer, user)
    with pytest.raises(KeyReused) as caught:
        ask(answer, user, request=b"R")
    assert (int(caught.value.code), caught.value.code.http_status, answer.times) == (409, 409, 1)


@pytest.mark.parametrize(
    ("later", "times"), [(DAY - timedelta(microseconds=1), 1), (DAY, 2), (2 * DAY, 2)]
)
def test_a_key_is_good_for_a_day(user: Any, later: timedelta, times: int) -> None:
    answer = Counted()
    ask(answer, user)
    ask(answer, user, now=NOW + later)
    assert (answer.times, IdempotentRequest.objects.count()) == (times, 1)


def test_the_next_key_of_a_user_removes_those_of_former_days(user: Any) -> None:
    other = UserFactory()
    for asker, key in ((user, "a"), (user, "b"), (other, "c")):
        ask(Counted(), asker, key=key)
    ask(Counted(), user, key="d", now=NOW + DAY)
    assert {str(request) for request in IdempotentRequest.objects.all()} == {"c", "d"}


def test_a_long_answer_is_kept_compressed(user: Any) -> None:
    answer = "[" + "{'link': 'https://example.org/f/code/ä.txt'}," * 100_000 + "]"
    assert [ask(lambda: answer, user), ask(str, user)] == [answer, answer]
    kept = IdempotentRequest.objects.values_list("answer", flat=True).get()
    assert len(kept) < MOST_BYTES / 2


def test_an_answer_that_is_too_long_to_be_kept_is_refused_and_nothing_was_done(user: Any) -> None:
    def answer() -> str:
        FileFactory(owner=user)
        return secrets.token_hex(MOST_BYTES + 1)

    with pytest.raises(InvalidParameters, match="Send fewer URIs"):
        ask(answer, user)
    assert not IdempotentRequest.objects.exists()
    assert not File.objects.exists()
    assert len(ask(lambda: secrets.token_hex(MOST_BYTES // 2), user)) == MOST_BYTES


def test_outdated_keys_are_those_of_a_day_ago(user: Any) -> None:
    for hours in (23, 24, 25):
        ask(Counted(), user, key=str(hours), now=NOW - timedelta(hours=hours))
    outdated = IdempotentRequest.objects.outdated(NOW)
    assert {str(request) for request in outdated} == {"24", "25"}


def test_a_request_that_fails_leaves_its_key_free(user: Any) -> None:
    answer = Counted(InvalidParameters(), failures=1)
    with pytest.raises(InvalidParameters):
        ask(answer, user)
    assert not IdempotentRequest.objects.exists()
    assert ask(answer, user, request=b"corrected") == "answer 2"


def test_what_a_deadlock_undid_is_done_again(user: Any) -> None:
    assert ask(Counted(DatabaseError(), failures=2), user) == "answer 3"


def test_a_database_that_fails_each_time_is_not_asked_for_ever(user: Any) -> None:
    answer = Counted(DatabaseError(), failures=9)
    with pytest.raises(DatabaseError):
        ask(answer, user)
    assert (answer.times, IdempotentRequest.objects.count()) == (3, 0)


def test_a_new_secret_does_not_make_a_request_another(user: Any, settings: Settings) -> None:
    answer = Counted()
    ask(answer, user)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-one-that-is-long-enough"
    assert ask(answer, user) == "answer 1"


def test_only_a_keyed_digest_of_the_request_is_kept(user: Any) -> None:
    ask(Counted(), user, request=b"password")
    kept = IdempotentRequest.objects.values().get()
    assert len(kept["digest"]) == 64
    assert b"password" not in repr(kept).encode()


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_the_second_waits_for_the_answer_of_the_first(user: Any) -> None:
    begun = threading.Event()
    answer = Counted()
    answers: list[str] = []

    def slow() -> str:
        begun.set()
        # The twin is on its way by now; that it waits is what the count shows.
        threading.Event().wait(0.3)
        return answer()

    def twin() -> None:
        begun.wait(5)
        try:
            answers.append(ask(answer, user))
        finally:
            connection.close()

    thread = threading.Thread(target=twin)
    thread.start()
    answers.append(ask(slow, user))
    thread.join(10)
    assert (answers, answer.times) == (["answer 1"] * 2, 1)
