"""Adding collected downloads through the ORM: for any database, and the measure of the written
statements."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Case, F, Value, When

from directlinks.sql.folds import Collected, Folds

# So few that no database runs out of parameters: updating a link takes six, and old versions of
# SQLite allow 999 in a statement.
AT_ONCE = 150


class PlainFolds(Folds):
    """``model`` is the class DirectLink; ``using`` the alias of the database."""

    def __init__(self, model: Any, using: str) -> None:
        self.links = model.objects.using(using)
        self.days = model._meta.get_field("days").related_model._default_manager.using(using)

    def add(self, collected: Sequence[Collected]) -> set[int]:
        there: set[int] = set()
        for start in range(0, len(collected), AT_ONCE):
            there |= self._add_few({one.link: one for one in collected[start : start + AT_ONCE]})
        return there

    def _add_few(self, collected: dict[int, Collected]) -> set[int]:
        rows = self.links.filter(pk__in=collected).order_by("pk").only("pk")
        links = list(rows.select_for_update())
        for link in links:
            link.downloads = F("downloads") + collected[link.pk].times
            link.last_opened_at = _later(collected[link.pk].latest)
        self.links.bulk_update(links, ["downloads", "last_opened_at"])
        self._add_to_days([collected[link.pk] for link in links])
        return {link.pk for link in links}

    def _add_to_days(self, collected: Sequence[Collected]) -> None:
        wanted = {(one.link, day): times for one in collected for day, times in one.days.items()}
        links, days = {link for link, _ in wanted}, {day for _, day in wanted}
        met = [
            row
            for row in self.days.filter(link__in=links, day__in=days)
            if (row.link_id, row.day) in wanted
        ]
        for row in met:
            row.downloads = F("downloads") + wanted.pop((row.link_id, row.day))
        self.days.bulk_update(met, ["downloads"], batch_size=AT_ONCE)
        # No other transaction can insert a day of a link that is locked here.
        self.days.bulk_create(
            self.days.model(link_id=link, day=day, downloads=times)
            for (link, day), times in wanted.items()
        )


def _later(moment: Any) -> Case:
    """``moment``, or what ``last_opened_at`` is where that is later."""
    return Case(When(last_opened_at__gt=moment, then="last_opened_at"), default=Value(moment))
