"""Downloads without a database, and settings that choose a backend."""

from datetime import UTC, datetime
from typing import Any

from directlinks.datetimes import as_stored
from directlinks.delivery.download import Download
from directlinks.models import File

DOWNLOAD = Download(
    link=7,
    code="abcdEFGH",
    password="",
    name="a.png",
    content=File(content="directlinks/x/a.png").content,
    storage_alias="default",
    content_type="image/png",
    version="v1",
    size=10,
    modified_at=as_stored(datetime(2026, 11, 1, tzinfo=UTC)),
    attachment=False,
    head_only=False,
    limited=False,
    guarded=False,
    until=None,
)


def download(*, stored: str = "directlinks/x/a.png", **changes: Any) -> Download:
    """DOWNLOAD of the content called ``stored``, with ``changes``."""
    return DOWNLOAD._replace(content=File(content=stored).content, **changes)


def delivery(backend: str, **options: Any) -> dict[str, Any]:
    """Return ``DIRECTLINKS`` of a site that delivers by ``backend``, a path in ``backends``."""
    chosen = {"BACKEND": f"directlinks.delivery.backends.{backend}", "OPTIONS": options}
    return {"DELIVERY": chosen}
