"""The documentation of the API that the example project shows, in a real browser."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.real.chromium import chromium
from tests.real.servers import Server, free_port, running
from tests.real.sites import CHECKOUT, run

# What axe finds in Swagger UI itself, wherever it is shown.
OF_SWAGGER_UI = {"color-contrast", "heading-order", "nested-interactive", "region"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The example project, as ``manage.py runserver`` serves it."""
    var = tmp_path_factory.mktemp("var")
    environment = {
        **os.environ,
        "DIRECTLINKS_VAR": str(var),
        "DJANGO_SETTINGS_MODULE": "example_project.settings",
    }
    environment.pop("DATABASE_URL", None)
    manage = [sys.executable, "manage.py"]
    run([*manage, "migrate", "-v", "0"], cwd=CHECKOUT, environment=environment)
    port = free_port()
    command = [*manage, "runserver", "--noreload", f"127.0.0.1:{port}"]
    log = Path(var, "log")
    with running(command, port, log, cwd=CHECKOUT, environment=environment) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context() as context:
        yield context.new_page()


def test_it_shows_each_call_and_asks_nobody_else(page: Page, server: Server) -> None:
    asked: list[str] = []
    faults: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{server.origin}/api/docs/")
    page.locator(".opblock").first.wait_for()
    assert page.locator(".opblock").count() == 12
    page.get_by_text("Create links, or return existing ones").click()
    page.get_by_text("failed to get target file").first.wait_for()
    own = (server.origin, "data:", "blob:")
    assert [url for url in asked if not url.startswith(own)] == []
    assert faults == []


def test_a_call_can_be_tried_there(page: Page, server: Server) -> None:
    page.goto(f"{server.origin}/api/docs/#/links/listLinks")
    call = page.locator("#operations-links-listLinks")
    call.get_by_role("button", name="Try it out").click()
    call.get_by_role("button", name="Execute").click()
    call.get_by_text("Login required").first.wait_for()


def test_what_is_ours_on_it_is_accessible(page: Page, server: Server) -> None:
    page.goto(f"{server.origin}/api/docs/")
    page.locator(".opblock").first.wait_for()
    found = {fault["id"] for fault in Axe().run(page).response["violations"]}
    assert found <= OF_SWAGGER_UI
