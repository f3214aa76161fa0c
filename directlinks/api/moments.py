"""How moments are shown on the wire."""

from datetime import UTC, datetime

from django.utils import timezone


def rfc3339(moment: datetime) -> str:
    """``moment`` in UTC; a naive one is in the site's time zone."""
    if timezone.is_naive(moment):
        moment = timezone.make_aware(moment, timezone.get_default_timezone())
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
