"""What came out of a run, and whether it is what we want."""

from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

GOAL_RATIO = 0.75
GOAL_BYTES = 16 * 1024**2


@dataclass(frozen=True, slots=True)
class Rates:
    """Requests, URIs or megabytes per second of a subject in each round, and of the control in the
    same round. The control has no goal.

    ``limit`` is what a program reaches in the same round that does nothing but the unavoidable.
    """

    subject: str
    rates: list[float]
    control: list[float]
    goal: float | None
    limit: list[float] | None = None

    @property
    def ratios(self) -> list[float]:
        return [rate / control for rate, control in zip(self.rates, self.control, strict=True)]

    @property
    def ratio(self) -> float:
        return median(self.ratios)

    @property
    def is_met(self) -> bool | None:
        return None if self.goal is None else self.ratio >= self.goal

    @property
    def share(self) -> float | None:
        """What part of the goal it reached."""
        return None if self.goal is None else self.ratio / self.goal

    @property
    def reachable(self) -> float:
        """What part of the goal can be reached on this machine, 1 if all of it."""
        if self.goal is None or self.limit is None:
            return 1.0
        ratios = (rate / control for rate, control in zip(self.limit, self.control, strict=True))
        return min(1.0, median(ratios) / self.goal)


@dataclass(frozen=True, slots=True)
class Growth:
    """By how many bytes a server grew at most while it sent one file of 1 GiB."""

    subject: str
    grown: int

    @property
    def share(self) -> float:
        """What part of the goal it reached."""
        return GOAL_BYTES / max(self.grown, 1)

    @property
    def is_met(self) -> bool:
        return self.share >= 1


@dataclass(frozen=True, slots=True)
class Cost:
    """What ``uris`` cost in seconds of each round, and in statements, the user's row included.

    ``kind`` is "create" or "reuse"; the loop is what most people write first.
    """

    kind: str
    uris: int
    seconds: list[float]
    loop_seconds: list[float]
    statements: int
    loop_statements: int

    def rates(self, goal: float | None) -> Rates:
        """URIs per second."""
        return Rates(
            f"{self.kind} {self.uris} URIs",
            [self.uris / taken for taken in self.seconds],
            [self.uris / taken for taken in self.loop_seconds],
            goal,
        )


@dataclass(frozen=True, slots=True)
class Lookups:
    """Microseconds for one link among ``links``, in each round."""

    links: int
    find: list[float]
    open: list[float]


@dataclass(frozen=True, slots=True)
class Results:
    """One run. Numbers of different runs, let alone machines, are not to be compared."""

    machine: dict[str, str]
    throughput: dict[str, list[Rates]] = field(default_factory=dict)  # by the file's size
    memory: list[Growth] = field(default_factory=list)
    redirects: dict[str, list[Rates]] = field(default_factory=dict)  # by the database
    batches: dict[str, list[Cost]] = field(default_factory=dict)  # by the database
    lookups: dict[str, list[Lookups]] = field(default_factory=dict)  # by the database
    workers: list[Rates] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return it with all rounds, so that readers can check the table."""
        return asdict(self)
