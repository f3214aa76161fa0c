"""The tabs of a browser refresh the same token at the same moment, and none is signed out.

The database is that of DATABASE_URL, or else the SQLite file that ``startproject`` sets up.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.real.databases import site_on_chosen_database
from tests.real.servers import gunicorn
from tests.real.sites import PASSWORD, Site
from tests.real.visitors import all_at_once, ask

BLACKLIST = "rest_framework_simplejwt.token_blacklist"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("sessions") / "project"
    with site_on_chosen_database(folder, f"INSTALLED_APPS += [{BLACKLIST!r}]\n") as site:
        site.manage("migrate", "-v", "0")
        yield site


@pytest.mark.parametrize(
    ("extra", "after"),
    [
        ("", 40020),
        ('SIMPLE_JWT = {"BLACKLIST_AFTER_ROTATION": True}\n', 40020),
        (f"INSTALLED_APPS.remove({BLACKLIST!r})\n", 0),
    ],
)
def test_four_exchanges_of_one_token_and_four_logouts_all_succeed(
    extra: str, after: int, site: Site
) -> None:
    with gunicorn(site.variant("sessions", extra), workers=2, threads=4) as server:

        def call(method: str, path: str, **body: str) -> Any:
            url = f"{server.origin}/api/v4/session/{path}"
            return json.loads(ask(method, url, json.dumps(body).encode()).body)

        def refresh(token: str) -> Any:
            return call("POST", "token/refresh", refresh_token=token)

        for _ in range(3):
            login = call("POST", "token", email="ada", password=PASSWORD)
            token = login["data"]["token"]["refresh_token"]
            answers = all_at_once(refresh, [token] * 4)
            assert [answer["code"] for answer in answers] == [0] * 4
            tokens = [answer["data"]["refresh_token"] for answer in answers]
            ends = all_at_once(lambda one: call("DELETE", "token", refresh_token=one), tokens)
            assert [end["code"] for end in ends] == [0] * 4
            assert {refresh(one)["code"] for one in (token, *tokens)} == {after}
