"""What is known of a link, as records."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from directlinks import querysets
from directlinks.core.records import LinkRecord
from directlinks.datetimes import as_stored, in_utc
from directlinks.models import DailyDownloads, DirectLink, FormerCode
from directlinks.services.transfer import export_links
from tests.factories import DirectLinkFactory, FileFactory, UserFactory

pytestmark = pytest.mark.django_db

THEN = as_stored(datetime(2026, 5, 4, 12, 30, 15, 123456, tzinfo=UTC))


def exported() -> list[LinkRecord]:
    return [record for step in export_links(DirectLink.objects.all()) for record in step]


def test_a_link_without_anything() -> None:
    file = FileFactory(owner=UserFactory(username="ann"), path="a/b.txt")
    link = DirectLinkFactory(file=file, reuse_name="b.txt", name="b.txt")
    assert exported() == [
        LinkRecord(
            code=link.code,
            owner="ann",
            path="a/b.txt",
            name="b.txt",
            reusable=True,
            created_at=in_utc(link.created_at),
        )
    ]


def test_a_link_with_everything() -> None:
    file = FileFactory(owner=UserFactory(username="ann"), path="a/b.txt")
    limits: dict[str, Any] = {
        "not_before": THEN,
        "expires_at": THEN.replace(year=2027),
        "max_downloads": 7,
        "paused": True,
        "password": "md5$salt$hash",
        "referers": "a.example\nb.example",
        "ask_first": True,
        "label": "=label",
        "note": "note\nof two lines",
        "downloads": 3,
        "last_opened_at": THEN,
        "revoked_at": THEN,
    }
    link = DirectLinkFactory(
        file=file, name="old.txt", created_by=UserFactory(username="bob"), **limits
    )
    for day, downloads in (("2026-02-01", 1), ("2026-01-01", 2)):
        DailyDownloads.objects.create(link=link, day=day, downloads=downloads)
    FormerCode.objects.create(link=link, code="former-1", until=THEN)
    FormerCode.objects.create(link=link, code="former-2")
    file.trash()
    assert exported() == [
        LinkRecord(
            code=link.code,
            owner="ann",
            path="a/b.txt",
            trashed_at=_in_utc(file.deleted_at),
            name="old.txt",
            created_by="bob",
            created_at=in_utc(link.created_at),
            days={date(2026, 1, 1): 2, date(2026, 2, 1): 1},
            former_codes={"former-1": in_utc(THEN), "former-2": None},
            **{name: _in_utc(value) for name, value in limits.items()},
        )
    ]


def _in_utc(value: Any) -> Any:
    return in_utc(value) if isinstance(value, datetime) else value


def test_each_step_is_three_statements(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(querysets, "STEP", 4)
    links = [DirectLinkFactory() for _ in range(6)]
    for link in links:
        DailyDownloads.objects.create(link=link, day="2026-01-01", downloads=link.pk)
    with django_assert_num_queries(2 * 3):
        records = exported()
    assert [record.code for record in records] == [link.code for link in links]
    assert [record.days[date(2026, 1, 1)] for record in records] == [link.pk for link in links]
