"""What the commands say: progress on a terminal alone, text that it cannot obey, questions."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, OutputWrapper

from directlinks.storage_errors import storage_error


class Progress:
    """How far a command is, on one line that the next one replaces. In a pipe, nothing.

    ``data`` is the output that must hold nothing else, where there is one: a terminal that gets it
    gets no progress in between.
    """

    def __init__(self, out: OutputWrapper, *, data: OutputWrapper | None = None) -> None:
        self._out = out
        self._shows = out.isatty() and not (data is not None and data.isatty())

    def show(self, line: str) -> None:
        if self._shows:
            # The error output would paint it red.
            self._out.write("\r\x1b[K" + printable(line), style_func=str, ending="")
            self._out.flush()

    def clear(self) -> None:
        self.show("")


@contextmanager
def interruptible(
    progress: Progress, sum_up: Callable[[], None], *, returncode: int = 1
) -> Iterator[None]:
    """Clear ``progress`` in the end. Ctrl-C ends the command with a sum and a word how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        progress.clear()
        sum_up()
        message = "Interrupted. Run the same command again to go on."
        raise CommandError(message, returncode=returncode) from None
    except BaseException:
        progress.clear()
        raise
    progress.clear()


def confirmed(question: str, out: OutputWrapper) -> bool:
    """Return True if the user confirms, or if stdin is not a terminal."""
    if not sys.stdin.isatty():
        return True
    out.write(f"{printable(question)} [y/N] ", style_func=str, ending="")
    out.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def printable(text: str) -> str:
    """``text`` with what a terminal cannot show, or would obey, as escapes."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def explained(error: Exception) -> str:
    """Return what went wrong, in one line."""
    if isinstance(error, ValidationError):
        return " ".join(error.messages)
    # Python's own errors say which file they are about.
    meaning = None if type(error).__module__ == "builtins" else storage_error(error)
    return str(error) if meaning is None else meaning.cause


def dry(text: str, *, dry_run: bool) -> str:
    """``text``, a sum of what was done, or of what would be."""
    return text + (" (dry run: nothing was changed)" if dry_run else "")
