"""Very many links in a database, in every state and with a month of use behind them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone

from directlinks.core import paths
from directlinks.models import DailyDownloads, DirectLink, File

ROWS_AT_ONCE = 5000
LINKS_OF_AN_OWNER = 100
DAYS = 30


def populate(number: int) -> None:
    """Make ``number`` links, each to a file of its own; nothing is random."""
    now = timezone.now()
    users = get_user_model()
    owners = max(number // LINKS_OF_AN_OWNER, 1)
    names = (f"owner{place:06d}" for place in range(owners))
    people = [users(username=name, is_active=place % 50 != 7) for place, name in enumerate(names)]
    users.objects.bulk_create(people, batch_size=ROWS_AT_ONCE)
    keys = list(users.objects.filter(username__startswith="owner").values_list("pk", flat=True))
    _insert(File, (_file(place, keys[place % owners], now) for place in range(number)))
    files = list(File.objects.order_by("pk").values_list("pk", "path"))
    _insert(DirectLink, (_link(place, key, path, now) for place, (key, path) in enumerate(files)))
    links = list(DirectLink.objects.order_by("pk").values_list("pk", flat=True))
    _insert(DailyDownloads, _days(links, now))


def _insert(model: Any, rows: Iterator[Any]) -> None:
    while some := list(islice(rows, ROWS_AT_ONCE)):
        model.objects.bulk_create(some)


def _file(place: int, owner: Any, now: datetime) -> File:
    path = f"folder{place % 97}/a document of some length {place}.pdf"
    trashed = place % 31 == 3
    return File(
        owner_id=owner,
        path=path,
        path_key=None if trashed else paths.key(path),
        path_head=paths.head(path),
        content="" if place % 1009 == 1 else f"directlinks/{place:032x}/document.pdf",
        size=place,
        content_type="application/pdf",
        version=f"{place:032x}",
        content_updated_at=now,
        deleted_at=now if trashed else None,
    )


def _link(place: int, file: int, path: str, now: datetime) -> DirectLink:
    name = paths.name(path)
    limits: dict[str, Any] = {}
    if place % 11 == 0:
        limits["expires_at"] = now + timedelta(days=place % 60 - 30)
    if place % 13 == 0:
        limits["paused"] = True
    if place % 17 == 0:
        limits["max_downloads"] = 50
    if place % 19 == 0:
        limits["not_before"] = now + timedelta(days=place % 20 - 10)
    if place % 23 == 0:
        limits["revoked_at"] = now
    opened = place % 3 != 0
    return DirectLink(
        file_id=file,
        name=name,
        reuse_name=None if limits else name,
        downloads=place % 101 if opened else 0,
        last_opened_at=now - timedelta(days=place % 90) if opened else None,
        label=f"Campaign {place % 500}",
        **limits,
    )


def _days(links: list[int], now: datetime) -> Iterator[DailyDownloads]:
    """One link in three was opened on ten of the last days."""
    today = now.date()
    for place, link in enumerate(links):
        for ago in range(place % 3, DAYS, 3) if place % 3 == 1 else ():
            yield DailyDownloads(
                link_id=link, day=today - timedelta(days=ago), downloads=1 + (place + ago) % 9
            )
