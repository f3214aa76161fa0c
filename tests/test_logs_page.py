"""The examples of docs/logs.md, run as they stand."""

import io
import json
import logging
import logging.config
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import structlog
from django.test import RequestFactory

PAGE = (Path(__file__).parent.parent / "docs/logs.md").read_text()
EXAMPLES = {
    title: re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    for title, _, section in (part.partition("\n") for part in PAGE.split("\n## "))
}
CODE = "7Xc5MvTqk2Rw9LbZ8nPaQy"
TICKET = "aZ09_-aZ09_-aZ09"
WHOLE = [
    f"/f/{CODE}/a.txt",
    f"GET /f/d/{CODE}/a.txt?x=1 HTTP/1.1",
    f"https://example.org/files/f/t/{TICKET}/a.txt",
    f'"DELETE /api/v4/file/source/{CODE}"',
    f"/api/v4/file/source/{CODE}/rotate",
]
SHORT = [
    "/f/7Xc5…/a.txt",
    "GET /f/d/7Xc5…/a.txt?x=1 HTTP/1.1",
    "https://example.org/files/f/t/aZ09…/a.txt",
    '"DELETE /api/v4/file/source/7Xc5…"',
    "/api/v4/file/source/7Xc5…/rotate",
]


def run(example: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(example, "docs/logs.md", "exec"), names)  # our own page
    return names


@pytest.fixture(autouse=True)
def redacting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module that the page tells a site to have."""
    module: Any = ModuleType("mysite.redacting")
    vars(module).update(run(EXAMPLES["Python"][0]))
    site: Any = ModuleType("mysite")
    site.redacting = module
    monkeypatch.setitem(sys.modules, "mysite", site)
    monkeypatch.setitem(sys.modules, "mysite.redacting", module)
    yield module
    structlog.reset_defaults()


def test_codes_are_cut_wherever_they_stand(redacting: Any) -> None:
    deep = {"request": WHOLE[0], "more": [{"urls": tuple(WHOLE)}], "status": 200}
    expected = {"request": SHORT[0], "more": [{"urls": tuple(SHORT)}], "status": 200}
    assert redacting.without_codes(deep) == expected


@pytest.mark.parametrize(
    "text", ["/", "/f/", "/files/f.txt", "/api/v4/file/source", "/static/f/a.js"]
)
def test_other_addresses_stay_as_they_are(text: str, redacting: Any) -> None:
    assert redacting.without_codes(text) == text


def test_a_handler_with_the_filter_shortens_what_any_logger_writes() -> None:
    settings = run(EXAMPLES["Python"][1])["LOGGING"]
    out = io.StringIO()
    settings["handlers"]["console"]["stream"] = out
    before = logging.root.handlers[:]
    try:
        logging.config.dictConfig(settings)
        logging.getLogger("django.server").info('"%s" %s', WHOLE[1], 200)
        logging.getLogger("site.views").warning("Refused: %s", WHOLE[0])
    finally:
        logging.root.handlers[:] = before
        logging.getLogger("django.server").handlers.clear()
    assert out.getvalue() == f'"{SHORT[1]}" 200\nRefused: {SHORT[0]}\n'


def test_structlog_renders_without_codes(capsys: pytest.CaptureFixture[str]) -> None:
    run(EXAMPLES["structlog"][0])
    structlog.get_logger().bind(request=WHOLE[1]).info("request_started", path=WHOLE[0])
    assert json.loads(capsys.readouterr().out) == {
        "event": "request_started",
        "level": "info",
        "path": SHORT[0],
        "request": SHORT[1],
    }


def test_sentry_is_sent_no_code() -> None:
    options = run(EXAMPLES["Sentry"][0])["SENTRY_OPTIONS"]
    event = {"request": {"url": WHOLE[2]}, "breadcrumbs": {"values": [{"data": {"url": WHOLE[0]}}]}}
    assert set(options) == {"before_send", "before_send_transaction", "before_breadcrumb"}
    for callback in options.values():
        sent = json.dumps(callback(event, {}))
        assert CODE not in sent
        assert TICKET not in sent


@pytest.mark.parametrize(
    ("path", "kept"),
    [(WHOLE[0], False), ("/api/v4/file/source", False), ("/news/", True), ("/f/", True)],
)
def test_silk_keeps_no_request_with_codes(path: str, kept: bool) -> None:
    intercepts = run(EXAMPLES["django-silk"][0])["SILKY_INTERCEPT_FUNC"]
    assert intercepts(RequestFactory().get(path)) is kept
