"""Circuit breaker and rate-limited log, for servers that may be away.

A server that failed is not asked for a while, because asking may take as long as a time-out, and
the error is not logged at each visit. While the server works neither costs a visit anything.
"""

import logging
import sqlite3
import threading
from time import monotonic

from django.db import InterfaceError, OperationalError

logger = logging.getLogger("directlinks")


class RateLimitedLog:
    """Logs errors: at most one line of each kind in ``seconds``."""

    def __init__(self, seconds: float = 60.0) -> None:
        self._seconds = seconds
        self._next: dict[str, float] = {}
        self._lock = threading.Lock()

    def write(self, message: str, error: BaseException | str, *, kind: str = "") -> None:
        """Log ``message`` with ``error``, unless another line of this kind came just before.

        An exception is logged with its traceback, words alone are one line.
        """
        # If the lock is taken, another thread is writing that line.
        if self._lock.acquire(blocking=False):
            try:
                now = monotonic()
                is_due = now >= self._next.get(kind, 0.0)
                if is_due:
                    self._next[kind] = now + self._seconds
            finally:
                self._lock.release()
            if is_due:
                raised = error if isinstance(error, BaseException) else None
                logger.error("%s: %s", message, error, exc_info=raised)


class CircuitBreaker:
    """Decides whether to ask a server that has failed.

    It is left alone for ten times as long as the failure took, but at least ``least`` and at most
    ``most`` seconds. Then one caller asks, and the others go on without until the answer is there.
    """

    def __init__(self, *, least: float, most: float) -> None:
        self._least = least
        self._most = most
        self._until = 0.0

    def allows(self) -> bool:
        """Return True if the server may be asked now; then call ``failed`` or ``succeeded``."""
        if not self._until:
            return True
        now = monotonic()
        if now < self._until:
            return False
        self._until = now + self._most
        return True

    def failed(self, seconds: float) -> None:
        """Leave the server alone after a failure that took ``seconds``."""
        self._until = monotonic() + min(max(10 * seconds, self._least), self._most)

    def succeeded(self) -> None:
        """Ask again without waiting."""
        self._until = 0.0


# The errors of MariaDB and MySQL that say something of the server and not of the statement. Numbers
# from 2000 to 2999 come from the client, which has lost the server.
_OF_MYSQL = frozenset(
    {
        *(1020, 1021, 1037, 1038, 1040, 1041, 1042, 1043, 1044, 1045, 1049, 1053, 1114, 1129, 1130),
        *(1152, 1158, 1159, 1160, 1161, 1180, 1184, 1203, 1205, 1206, 1213, 1226, 1290, 1317, 1792),
        *(1836, 1927, 1969, 3024, 3032, 4031),
        *range(2000, 3000),
    }
)


def is_away(error: BaseException) -> bool:
    """Return True if ``error`` says that the database cannot be reached or is too busy.

    SQLite, MariaDB and MySQL raise the same class for a faulty statement, such as one that names a
    missing column or compares a text with a character that the column cannot hold.
    """
    if isinstance(error, InterfaceError):
        return True
    if not isinstance(error, OperationalError):
        return False
    if isinstance(number := next(iter(error.args), None), int):
        return number in _OF_MYSQL
    code = getattr(error.__cause__, "sqlite_errorcode", None)
    return code not in (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISUSE)
