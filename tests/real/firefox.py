"""Debian's Firefox, spoken to by WebDriver BiDi: Playwright drives only a build of its own."""

import json
import os
import subprocess
import sys
import tempfile
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from websockets.sync.client import ClientConnection, connect

from tests.real.programs import needed
from tests.real.samples import colour_of_pixel
from tests.real.servers import free_port
from tests.real.visitors import PATIENCE

# No first page, no requests of its own, sound without a gesture, files saved without a question.
PREFERENCES: dict[str, bool | int | str] = {
    "browser.aboutwelcome.enabled": False,
    "browser.download.folderList": 2,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "media.autoplay.default": 0,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "remote.active-protocols": 1,
    "toolkit.telemetry.enabled": False,
}


class BrowserError(Exception):
    """The browser refused a command, which it says in words of its own."""


class Firefox:
    """One window of one browser."""

    def __init__(self, socket: ClientConnection, downloads: Path) -> None:
        self._socket = socket
        self._downloads = downloads
        self._numbers = count(1)
        self.command("session.new", capabilities={})
        (tree,) = self.command("browsingContext.getTree")["contexts"]
        self.context = tree["context"]

    def command(self, method: str, **parameters: Any) -> Any:
        """Return the result of ``method``; what the browser tells meanwhile is not listened to."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            told = json.loads(self._socket.recv(timeout=PATIENCE))
            if told.get("id") != number:  # pragma: no cover  # an event
                continue
            if told["type"] == "error":  # pragma: no cover  # ends a test
                raise BrowserError(f"{told['error']}: {told['message']}")
            return told["result"]

    def open(self, url: str) -> None:
        """Open ``url`` as if it was typed, and wait until it is there."""
        self.command("browsingContext.navigate", context=self.context, url=url, wait="complete")

    def evaluate(self, expression: str) -> Any:
        """Return what ``expression`` comes to, if that is a text, a number or a flag."""
        answer = self.command(
            "script.evaluate",
            expression=expression,
            target={"context": self.context},
            awaitPromise=True,
            userActivation=True,
        )
        if answer["type"] == "exception":  # pragma: no cover  # ends a test
            raise BrowserError(answer["exceptionDetails"]["text"])
        return answer["result"].get("value")

    def pixel(self, x: int, y: int) -> bytes:
        """Return red, green and blue of what the window shows there."""
        clip = {"type": "box", "x": x, "y": y, "width": 1, "height": 1}
        shot = self.command("browsingContext.captureScreenshot", context=self.context, clip=clip)
        return colour_of_pixel(b64decode(shot["data"]))

    def save(self, url: str) -> bytes:
        """Return what is saved of ``url``, which the browser must not show."""
        name = urlsplit(url).path.rpartition("/")[2]
        saved = self._downloads / name
        with suppress(BrowserError):  # nothing was opened
            self.command("browsingContext.navigate", context=self.context, url=url, wait="none")
        give_up_at = time.monotonic() + PATIENCE
        while not (saved.exists() and saved.stat().st_size):  # pragma: no cover  # mostly it is
            assert time.monotonic() < give_up_at, f"{name} is not saved."
            time.sleep(0.05)
        data = saved.read_bytes()
        saved.unlink()
        return data


@contextmanager
def firefox() -> Iterator[Firefox]:
    program = needed("firefox-esr")
    with tempfile.TemporaryDirectory() as scratch:
        profile = Path(scratch, "profile")
        profile.mkdir()
        preferences = {**PREFERENCES, "browser.download.dir": str(profile)}
        lines = (f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in preferences.items())
        (profile / "user.js").write_text("\n".join(lines))
        port = free_port()
        # The superuser cannot have the browser's own sandbox.
        environment = {**os.environ, "HOME": scratch, "MOZ_DISABLE_CONTENT_SANDBOX": "1"}
        command = [program, "--headless", "--no-remote", "--profile", str(profile)]
        command += ["--remote-debugging-port", str(port), "about:blank"]
        log = Path(scratch, "firefox.log")
        with log.open("w") as output:
            process = subprocess.Popen(
                command, env=environment, stdout=output, stderr=subprocess.STDOUT
            )
            try:
                with _connected(f"ws://127.0.0.1:{port}/session", process, log) as socket:
                    yield Firefox(socket, profile)
            finally:
                process.terminate()
                process.wait(timeout=20)
                sys.stdout.write(f"--- firefox\n{log.read_text(errors='replace')}")


def _connected(url: str, process: subprocess.Popen[bytes], log: Path) -> ClientConnection:
    give_up_at = time.monotonic() + PATIENCE
    while True:
        assert process.poll() is None, log.read_text(errors="replace")
        try:
            return connect(url, max_size=None, open_timeout=PATIENCE, proxy=None)
        except OSError:
            assert time.monotonic() < give_up_at, "Firefox does not come up."
            time.sleep(0.1)
