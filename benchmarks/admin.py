"""``python -m benchmarks.admin [links]``: what the admin's pages cost with very many links.

It makes a database of its own on the server that DATABASE_URL names (SQLite without), fills it,
opens each page three times and tells the statements and the best time that the database took.
"""

import os
import sys
import time
from typing import Any

import django
from django.db import connection
from django.test import Client
from django.test.utils import setup_databases, setup_test_environment, teardown_databases

LIST = "/admin/directlinks/directlink/"
PAGES = {
    "list": LIST,
    "list, facets": f"{LIST}?_facets=True",
    "list, a page in the middle": f"{LIST}?p={{middle}}",
    **{
        f"list, {state}, facets": f"{LIST}?_facets=True&state={state}"
        for state in (
            "active",
            "expiring-soon",
            "not-yet",
            "paused",
            "expired",
            "used-up",
            "owner-inactive",
            "trashed",
            "revoked",
            "content-missing",
        )
    },
    "list, never opened, facets": f"{LIST}?_facets=True&opened=never",
    "list, active and never opened, facets": f"{LIST}?_facets=True&state=active&opened=never",
    "list, an owner, facets": f"{LIST}?_facets=True&owner=10",
    "list, by downloads": f"{LIST}?o=-4",
    "list, search, facets": f"{LIST}?_facets=True&q=owner000012",
    "a search that finds nearly all, facets": f"{LIST}?_facets=True&q=campaign",
    "dashboard": f"{LIST}dashboard/",
    "files": "/admin/directlinks/file/",
}
ROUNDS = 3
MOST_STATEMENTS, MOST_SECONDS = 10, 0.5


class Meter:
    """Counts statements and the seconds until their first rows, as an ``execute_wrapper``."""

    def __init__(self) -> None:
        self.statements, self.seconds = 0, 0.0

    def __call__(self, execute: Any, *args: Any) -> Any:
        start = time.perf_counter()
        try:
            return execute(*args)
        finally:
            self.statements += 1
            self.seconds += time.perf_counter() - start


def cost(client: Client, page: str) -> Meter:
    """The cheapest of some rounds, since other programs on the machine make it dearer."""
    meters = []
    for _ in range(ROUNDS):
        meter = Meter()
        with connection.execute_wrapper(meter):
            answer = client.get(page)
        assert answer.status_code == 200, answer.status_code
        meters.append(meter)
    return min(meters, key=lambda meter: meter.seconds)


def measure(number: int) -> bool:
    """Print a line for each page of ``number`` links; whether all of the list keep the budget."""
    # The models can be imported only now.
    from django.contrib.auth import get_user_model  # noqa: PLC0415
    from django.contrib.auth.models import Permission  # noqa: PLC0415

    # No superuser, whose permissions would not have to be looked up.
    user = get_user_model().objects.create_user("mia", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="directlinks"))
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    good = True
    for name, page in PAGES.items():
        meter = cost(client, page.format(middle=number // 200 or 1))
        good_page = meter.statements < MOST_STATEMENTS and meter.seconds < MOST_SECONDS
        good &= good_page or not name.startswith("list")
        mark = "" if good_page else "  above the budget"
        print(f"{name:40} {meter.statements:3} {meter.seconds * 1000:7.0f} ms{mark}")
    return good


def main() -> int:
    number = int(sys.argv[1]) if sys.argv[1:] else 200_000
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from benchmarks.population import populate  # noqa: PLC0415

    setup_test_environment()
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        populate(number)
        with connection.cursor() as cursor:
            # As the databases do by themselves, by and by.
            cursor.execute("ANALYZE" if connection.vendor != "mysql" else "SELECT 1")
        print(f"{connection.vendor}, {number} links: statements, time of the database")
        return 0 if measure(number) else 1
    finally:
        teardown_databases(databases, verbosity=0)


if __name__ == "__main__":
    sys.exit(main())
