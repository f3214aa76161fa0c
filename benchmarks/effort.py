"""How thoroughly a run measures: for a table to keep, or to notice that something became slow."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effort:
    """``rounds`` of each subject, of ``seconds`` under load; batches of ``uris``, links up
    to ``links`` for one look-up, and files of ``bodies``."""

    rounds: int
    seconds: int
    uris: tuple[int, ...]
    links: int
    bodies: tuple[str, ...]


FULL = Effort(5, 3, (1, 10, 100, 1000, 3000), 10_000_000, ("1 MB", "100 MB"))
SHORT = Effort(3, 1, (1000,), 100_000, ("1 MB",))
