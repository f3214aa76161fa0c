"""What a process does while a server that it needs is away.

It does not ask the server for a while, because asking may take as long as a time-out, and logs the
error, but not at each visit. While the server works neither costs a visit anything.
"""

import logging
import sqlite3
import threading
from time import monotonic

from django.db import InterfaceError, OperationalError

logger = logging.getLogger("directlinks")


class RateLimitedLog:
    """Errors for the log: of each kind at most one line in ``seconds``."""

    def __init__(self, seconds: float = 60.0) -> None:
        self._seconds = seconds
        self._next: dict[str, float] = {}
        self._lock = threading.Lock()

    def write(self, message: str, error: BaseException, *, kind: str = "") -> None:
        """Log ``message`` with ``error``, unless another line of this kind came just before."""
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
                logger.error("%s: %s", message, error, exc_info=error)


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


def is_away(error: BaseException) -> bool:
    """Return True if ``error`` says that the database cannot be reached or is too busy.

    SQLite raises the same class for a faulty statement, such as one that names a missing table.
    """
    code = getattr(error.__cause__, "sqlite_errorcode", None)
    is_faulty = code in (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISUSE)
    return isinstance(error, OperationalError | InterfaceError) and not is_faulty
