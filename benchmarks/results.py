"""What came out of a run, and whether it is what we want."""

from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

GOAL_RATIO = 0.75
GOAL_BYTES = 16 * 1024**2


@dataclass(frozen=True, slots=True)
class Throughput:
    """Megabytes per second of a subject in each round, and of the control in the same round."""

    subject: str
    rates: list[float]
    control: list[float]

    @property
    def is_control(self) -> bool:
        return self.rates == self.control

    @property
    def ratios(self) -> list[float]:
        return [rate / control for rate, control in zip(self.rates, self.control, strict=True)]

    @property
    def ratio(self) -> float:
        return median(self.ratios)

    @property
    def is_met(self) -> bool:
        return self.ratio >= GOAL_RATIO


@dataclass(frozen=True, slots=True)
class Growth:
    """By how many bytes a server grew at most while it sent one file of 1 GiB."""

    subject: str
    grown: int

    @property
    def is_met(self) -> bool:
        return self.grown <= GOAL_BYTES


@dataclass(frozen=True, slots=True)
class Results:
    """One run. Numbers of different runs, let alone machines, are not to be compared."""

    machine: dict[str, str]
    throughput: dict[str, list[Throughput]]  # by the size of the file
    memory: list[Growth]

    def as_json(self) -> dict[str, Any]:
        """With all rounds, so that whoever doubts the table can count again."""
        return asdict(self)
