"""What a counter does beside answering visits: folding about once a second."""

import os
import threading
from collections.abc import Callable
from weakref import WeakSet

from django.db import close_old_connections, connections

from directlinks.outages import RateLimitedLog

SECONDS = 1.0


class Repetition:
    """Calls ``act`` about once a second, in a daemon thread of each process that starts it.

    What ``act`` raises is logged as ``message``, and it is called again a second later.
    """

    def __init__(self, act: Callable[[], object], message: str) -> None:
        self._act = act
        self._message = message
        self._log = RateLimitedLog()
        self.forget()
        _repetitions.add(self)

    def forget(self) -> None:
        """Know of no thread, as in a process that was forked: threads stay behind."""
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._end = threading.Event()

    def start(self) -> None:
        """Begin, unless that is done already. It costs next to nothing then."""
        if self._thread is not None:
            return
        with self._lock:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="directlinks", daemon=True)
                try:
                    thread.start()
                except RuntimeError as error:  # no more threads: the next visit tries again
                    self._log.write(self._message, error)
                else:
                    self._thread = thread

    def stop(self) -> None:
        """End, once what is being done is done."""
        with self._lock:
            if self._thread is not None:
                self._end.set()
                self._thread.join()
                self._thread = None
                self._end.clear()

    def _run(self) -> None:
        while not self._end.wait(SECONDS):
            try:
                self._act()
            except Exception as error:  # noqa: BLE001  # nothing may end the thread
                self._log.write(self._message, error)
            finally:
                # As after a request: they stay open only where the site wants that.
                close_old_connections()
        connections.close_all()


_repetitions: WeakSet[Repetition] = WeakSet()


def _after_fork() -> None:
    for repetition in _repetitions:
        repetition.forget()


os.register_at_fork(after_in_child=_after_fork)
