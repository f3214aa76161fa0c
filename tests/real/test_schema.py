"""The schema of the API, held against what a live server answers."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from tests.real.servers import Server, gunicorn
from tests.real.sites import CHECKOUT, DOCUMENTED_SETTINGS, DOCUMENTED_URLS, PASSWORD, new_site
from tests.real.visitors import ask, log_in

Case: TypeAlias = schemathesis.Case[Any]

PAGE = (CHECKOUT / "docs" / "api.md").read_text()
# What the page tells a site to add; beside it, room for all the attempts to log in.
DESCRIBED_SETTINGS, DESCRIBED_URLS = re.findall(
    r"^```python\n(.*?)^```$", PAGE.split("## OpenAPI")[1], re.MULTILINE | re.DOTALL
)
ROOM = """
MEDIA_ROOT = BASE_DIR / "media"
DIRECTLINKS = {"LOGIN_RATE": "1000/s"}
"""
URI = "cloudreve://my/a.txt"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("described") / "project"
    site = new_site(
        folder,
        settings=DOCUMENTED_SETTINGS + DESCRIBED_SETTINGS + ROOM,
        urls=DOCUMENTED_URLS + DESCRIBED_URLS,
    )
    site.manage("migrate", "-v", "0")
    site.add_user("ada")
    site.add_links({"a.txt": b"a"})
    with gunicorn(site) as server:
        yield server


@pytest.fixture(scope="module")
def described(server: Server) -> Any:
    return schemathesis.openapi.from_url(f"{server.origin}/api/schema/?format=json")


bounded = settings(max_examples=20, suppress_health_check=list(HealthCheck))

CALLS = [
    ("PUT", "file/source"),
    ("GET", "file/source"),
    ("GET", "file/source/{code}"),
    ("PATCH", "file/source/{code}"),
    ("DELETE", "file/source/{code}"),
    ("POST", "file/source/{code}/rotate"),
    ("GET", "file/source/{code}/statistics"),
    ("POST", "file/source/revoke"),
    ("GET", "file/info"),
    ("POST", "session/token"),
    ("POST", "session/token/refresh"),
]
# OpenAPI 3.0 knows no body of a DELETE, so the schema tells of it in words alone.
TOLD = [("DELETE", "session/token")]


def test_each_call_is_in_it(described: Any) -> None:
    found = {(o.ok().method.upper(), o.ok().path) for o in described.get_all_operations()}
    assert found == {(method, f"/api/v4/{path}") for method, path in CALLS + TOLD}


class Reality:
    """What lets a request that was made up succeed: links, files and tokens that there are."""

    def __init__(self, server: Server) -> None:
        self.api = f"{server.origin}/api/v4/"
        self.bearer = log_in(self.api, "ada")

    def new_code(self) -> str:
        body = json.dumps({"uris": [URI], "reuse": False}).encode()
        answer = ask("PUT", f"{self.api}file/source", body, self.bearer)
        link: str = json.loads(answer.body)["data"][0]["link"]
        return link.split("/")[-2]

    def refresh_token(self) -> str:
        login = json.dumps({"email": "ada", "password": PASSWORD}).encode()
        answer = ask("POST", f"{self.api}session/token", login)
        token: str = json.loads(answer.body)["data"]["token"]["refresh_token"]
        return token

    def put_into(self, case: Case) -> None:
        if "code" in case.path_parameters:
            case.path_parameters["code"] = self.new_code()
        if case.path.endswith("info"):
            case.query["uri"] = URI
        made: dict[str, Callable[[], Any]] = {
            "uris": lambda: [URI, "cloudreve://my/missing"],
            "not_before": lambda: None,
            "expires_at": lambda: "2090-01-01T00:00:00Z",
            "ids": lambda: [self.new_code(), "UnknownCode"],
            "email": lambda: "ada",
            "password": lambda: PASSWORD,
            "refresh_token": self.refresh_token,
        }
        if isinstance(case.body, dict):
            case.body.update({name: make() for name, make in made.items() if name in case.body})


@pytest.fixture(scope="module")
def reality(server: Server) -> Reality:
    return Reality(server)


@pytest.mark.parametrize(("method", "path"), CALLS)
class TestAnswers:
    def test_none_to_a_request_as_it_should_be_is_missing(
        self, method: str, path: str, described: Any, reality: Reality
    ) -> None:
        operation = described[f"/api/v4/{path}"][method]
        statuses = set()

        @settings(bounded, max_examples=10)
        @given(case=operation.as_strategy())
        def check(case: Case, *, real: bool) -> None:
            if real:
                reality.put_into(case)
            # That a text is no file URI, or one moment before another, is beyond a schema.
            answer = case.call_and_validate(
                headers=reality.bearer, excluded_checks=[positive_data_acceptance]
            )
            statuses.add(answer.status_code)

        check(real=False)
        check(real=True)
        assert 200 in statuses

    def test_none_to_a_request_that_is_wrong_is_missing(
        self, method: str, path: str, described: Any, reality: Reality
    ) -> None:
        operation = described[f"/api/v4/{path}"][method]
        # In a query string, an empty value is as good as none.
        lenient: list[Any] = [negative_data_rejection] if method == "GET" else []

        @bounded
        @given(case=operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
        def check(case: Case) -> None:
            case.call_and_validate(headers=reality.bearer, excluded_checks=lenient)

        check()

    def test_none_to_nobody_is_missing(
        self, method: str, path: str, described: Any, reality: Reality
    ) -> None:
        operation = described[f"/api/v4/{path}"][method]

        @settings(bounded, max_examples=3)
        @given(case=operation.as_strategy())
        def check(case: Case) -> None:
            answer = case.call_and_validate(excluded_checks=[positive_data_acceptance])
            assert answer.status_code in (400, 401)

        check()
