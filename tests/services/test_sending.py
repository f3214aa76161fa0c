"""Telling who listens, after the fact."""

import logging
from typing import Any

import pytest
from django.db import transaction
from django.dispatch import Signal

from directlinks.models import DirectLink
from directlinks.services.sending import send_now, send_on_commit
from tests.services.listening import heard_from


class SomethingElseError(Exception):
    pass


@pytest.mark.django_db(transaction=True)
class TestAfterTheCommit:
    def test_it_is_told_once_all_is_in_the_database(self) -> None:
        signal = Signal()
        with heard_from(signal) as heard:
            with transaction.atomic():
                send_on_commit(signal, links=[1], user=None)
                assert heard == []
            assert heard == [{"sender": DirectLink, "links": [1], "user": None}]

    def test_what_was_rolled_back_is_not_told(self) -> None:
        signal = Signal()
        with heard_from(signal) as heard:
            with transaction.atomic():
                send_on_commit(signal, links=[1])
                transaction.set_rollback(True)
            assert heard == []


def test_what_is_done_already_is_told_at_once() -> None:
    signal = Signal()
    with heard_from(signal) as heard:
        send_now(signal, link=1)
        assert heard == [{"sender": DirectLink, "link": 1}]
    send_now(signal, link=2)
    assert len(heard) == 1


def test_a_receiver_that_raises_is_logged_and_hinders_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    signal = Signal()

    def failing(**facts: Any) -> None:
        raise SomethingElseError

    signal.connect(failing)
    with heard_from(signal) as heard:
        send_now(signal, link=1)
        assert len(heard) == 1
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "failing" in record.getMessage()


@pytest.mark.django_db
def test_nobody_listening_costs_nothing(
    django_assert_num_queries: Any, django_capture_on_commit_callbacks: Any
) -> None:
    with django_assert_num_queries(0), django_capture_on_commit_callbacks() as callbacks:
        send_on_commit(Signal(), links=[])
    assert callbacks == []
