"""Links in every state with a month of use behind them, so that the demo's admin has much to show.

All is deterministic, and showing it twice is showing it once.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model

from directlinks.datetimes import day_of
from directlinks.models import DailyDownloads, DirectLink, File
from example_project.population import Person, settle

CAROL = Person("carol", "demo-carol", "owns the files that the admin shows")
DAYS = 30


@dataclass(frozen=True, slots=True)
class Example:
    """A link, and how it is used: ``usual`` downloads on a day, growing by ``trend`` a day."""

    path: str
    label: str
    usual: int = 0
    trend: float = 0.0
    limits: dict[str, Any] = field(default_factory=dict)
    starts: timedelta | None = None
    ends: timedelta | None = None
    silent_days: int = 0


EXAMPLES = (
    Example("handbook/welcome.pdf", "New colleagues", 14, 0.4),
    Example("press/logo-2026.png", "Press kit", 31, -0.6),
    Example("press/portrait.jpg", "Press kit", 9),
    Example("newsletter/march.pdf", "Newsletter", 40, -1.6, ends=timedelta(days=4)),
    Example("newsletter/april.pdf", "Newsletter", starts=timedelta(days=3)),
    Example("talks/keynote.pdf", "Conference", 6, 0.1, {"paused": True}, silent_days=6),
    Example("talks/demo-video.txt", "Conference", 11, 0.2, ends=-timedelta(days=2), silent_days=3),
    Example("offers/price list.txt", "Trade fair", 4, 0.0, {"max_downloads": 75}, silent_days=8),
    Example("music/anthem.txt", "Choir", 3),
    Example("drafts/contract.txt", "For the lawyers"),
    Example("drafts/minutes.txt", "Board"),
)


def show_examples(now: datetime) -> None:
    """Give CAROL her files, and each the link of its example with its downloads until ``now``."""
    settle(CAROL, {example.path: f"{example.label}\n".encode() for example in EXAMPLES})
    owner = get_user_model().objects.get(username=CAROL.name)
    for example in EXAMPLES:
        file = File.objects.at([(owner.pk, example.path)]).get()
        link, _ = DirectLink.objects.update_or_create(
            file=file,
            label=example.label,
            defaults={
                "created_by": owner,
                "not_before": None if example.starts is None else now + example.starts,
                "expires_at": None if example.ends is None else now + example.ends,
                **example.limits,
            },
        )
        _use(link, example, now)


def _use(link: DirectLink, example: Example, now: datetime) -> None:
    """The downloads of the last days, instead of those that were there."""
    today = day_of(now)
    days = {
        today - timedelta(days=ago): _downloads(example, ago)
        for ago in range(example.silent_days, DAYS)
    }
    opened = {day: number for day, number in days.items() if number}
    link.days.all().delete()
    DailyDownloads.objects.bulk_create(
        DailyDownloads(link=link, day=day, downloads=number) for day, number in opened.items()
    )
    last = now - timedelta(days=example.silent_days, minutes=10) if opened else None
    used = {"downloads": sum(opened.values()), "last_opened_at": last}
    DirectLink.objects.filter(pk=link.pk).update(**used)


def _downloads(example: Example, ago: int) -> int:
    """As people come: fewer at weekends, more by and by, never twice quite the same."""
    day = DAYS - 1 - ago
    wave = (1.0, 1.25, 0.9, 1.1, 1.0, 0.35, 0.2)[day % 7] * (1 + (day * 7 % 5 - 2) / 12)
    return max(round((example.usual + example.trend * day) * wave), 0)
