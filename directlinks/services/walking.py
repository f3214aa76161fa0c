"""Walking a large table, or a long list, in steps of bounded size."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

Item = TypeVar("Item")
Row = TypeVar("Row", bound=Model)

STEP = 500


def walk(queryset: "QuerySet[Row, Row]", most: int | None = None) -> Iterator[list[Row]]:
    """The rows of ``queryset`` in the order of their keys, in lists of at most ``most``, else STEP.

    One statement each, which begins where the one before ended: no database has to keep a long
    result in memory or open, no lock outlives a step, and the rows of a step may be changed or
    deleted before the next one is asked for.
    """
    most = most or STEP
    last: Any = None
    ordered = queryset.order_by("pk")
    while True:
        step = list((ordered if last is None else ordered.filter(pk__gt=last))[:most])
        if not step:
            return
        last = step[-1].pk
        yield step
        if len(step) < most:
            return


def in_steps(items: Iterable[Item], most: int | None = None) -> Iterator[list[Item]]:
    """``items`` in their order, in lists of at most ``most``, else STEP."""
    rest = iter(items)
    while step := list(islice(rest, most or STEP)):
        yield step
