"""What a process does while a server that it needs is away."""

import sqlite3

import pytest
from django.db import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
    connection,
)

from directlinks import outages
from directlinks.outages import CircuitBreaker, RateLimitedLog, is_away


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(outages, "monotonic", clock)
    return clock


class TestRateLimitedLog:
    def test_it_has_one_line_of_each_kind_in_a_while(
        self, clock: Clock, caplog: pytest.LogCaptureFixture
    ) -> None:
        log = RateLimitedLog(60.0)
        for number, passed in enumerate([0.0, 59.0, 0.5, 0.5, 1.0]):
            clock.now += passed
            log.write(f"number {number}", ValueError("x"))
            log.write(f"other {number}", ValueError("y"), kind="other")
        messages = [record.getMessage() for record in caplog.records]
        assert messages == ["number 0: x", "other 0: y", "number 3: x", "other 3: y"]
        assert all(record.levelname == "ERROR" and record.exc_info for record in caplog.records)

    def test_it_leaves_the_line_to_the_thread_that_is_writing_it(
        self, clock: Clock, caplog: pytest.LogCaptureFixture
    ) -> None:
        log = RateLimitedLog(60.0)
        with log._lock:
            log.write("a second line", ValueError("x"))
        assert caplog.records == []


class TestCircuitBreaker:
    @pytest.mark.parametrize(
        ("took", "rest"), [(0.0, 0.5), (0.01, 0.5), (0.2, 2.0), (5.0, 10.0), (60.0, 10.0)]
    )
    def test_a_server_is_left_alone_for_ten_times_as_long_as_it_took_to_fail(
        self, clock: Clock, took: float, rest: float
    ) -> None:
        breaker = CircuitBreaker(least=0.5, most=10.0)
        assert breaker.allows()
        breaker.failed(took)
        clock.now += rest - 0.001
        assert not breaker.allows()
        clock.now += 0.002
        assert breaker.allows()

    def test_one_caller_tries_it_and_the_others_do_not_wait(self, clock: Clock) -> None:
        breaker = CircuitBreaker(least=1.0, most=10.0)
        breaker.failed(0.0)
        clock.now += 1.0
        assert [breaker.allows() for _ in range(3)] == [True, False, False]
        breaker.succeeded()
        assert [breaker.allows() for _ in range(3)] == [True, True, True]

    def test_a_caller_that_never_comes_back_does_not_keep_it_from_others(
        self, clock: Clock
    ) -> None:
        breaker = CircuitBreaker(least=1.0, most=10.0)
        breaker.failed(0.0)
        clock.now += 1.0
        assert breaker.allows()
        clock.now += 10.0
        assert breaker.allows()

    def test_a_failure_that_took_no_time_needs_no_rest(self, clock: Clock) -> None:
        breaker = CircuitBreaker(least=0.0, most=10.0)
        breaker.failed(0.0)
        assert breaker.allows()


def sqlite_error(code: int) -> OperationalError:
    cause = sqlite3.OperationalError("from the driver")
    cause.sqlite_errorcode = code
    error = OperationalError("from Django")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (OperationalError("server closed the connection"), True),
        (InterfaceError("connection already closed"), True),
        (sqlite_error(sqlite3.SQLITE_BUSY), True),
        (sqlite_error(sqlite3.SQLITE_CANTOPEN), True),
        (sqlite_error(sqlite3.SQLITE_ERROR), False),
        (OperationalError(), True),
        (OperationalError(2013, "Lost connection to server during query"), True),
        (OperationalError(1040, "Too many connections"), True),
        (OperationalError(1213, "Deadlock found when trying to get lock"), True),
        (OperationalError(1054, "Unknown column"), False),
        (OperationalError(1267, "Illegal mix of collations"), False),
        (OperationalError(1366, "Incorrect string value"), False),
        (InterfaceError(0, ""), True),
        (IntegrityError("taken"), False),
        (ProgrammingError("no such table"), False),
        (DataError("too long"), False),
        (ConnectionRefusedError("another server"), False),
    ],
)
def test_which_errors_say_that_the_database_is_away(error: Exception, away: bool) -> None:
    assert is_away(error) is away


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    ["SELECT 1 FROM no_such_table", "SELECT no_such_column", "SELECT no_such_function(1)"],
)
def test_a_faulty_statement_is_no_outage(statement: str) -> None:
    with connection.cursor() as cursor, pytest.raises(DatabaseError) as raised:
        cursor.execute(statement)
    assert not is_away(raised.value)
