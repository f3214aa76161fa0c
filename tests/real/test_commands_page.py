"""The examples of docs/commands.md, run as they stand."""

import re
from pathlib import Path

from tests.real.sites import CHECKOUT, new_site, run
from tests.real.test_readme import python_first

PAGE = (CHECKOUT / "docs" / "commands.md").read_text()
AGAIN = "Links: 0 added, 2 there already, 0 without their file, 0 refused."
# A storage like those that the page names, of this machine.
ARCHIVE = """
from django.conf.global_settings import STORAGES
STORAGES["archive"] = {**STORAGES["default"], "OPTIONS": {"location": BASE_DIR / "archive"}}
"""
EXAMPLE = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_a_stranger_who_follows_them_sees_what_they_promise(tmp_path: Path) -> None:
    site = new_site(tmp_path / "project")
    site.append("mysite/settings.py", 'MEDIA_ROOT = BASE_DIR / "media"\n')
    site.append("mysite/settings.py", ARCHIVE)
    site.manage("migrate", "-v", "0")
    site.add_user("alice")
    output = run(
        ["bash", "-euo", "pipefail", "-c", "".join(EXAMPLE.findall(PAGE))],
        cwd=site.folder,
        environment={**site.environment, "PATH": python_first()},
    )
    assert [re.sub(r"/f/\w+/", "/f/…/", line) for line in output.splitlines()] == [
        "Files: 1 added, 0 replaced, 0 there already.",
        "greetings/hello.txt: would be moved",
        "Contents: 1 moved, 0 changed meanwhile, 0 deleted. (dry run: nothing was changed)",
        "Contents: 1 moved, 0 changed meanwhile, 0 deleted.",
        "Waiting to be deleted: 1. Run it again in 660 seconds or later.",
        "Files: 0 made, 0 updated, 0 withdrawn, 0 unchanged.",
        "/f/…/hello.txt",
        "/f/…/hello.txt",
        "Links: 1 revoked. (dry run: nothing was changed)",
        "Links: 1 revoked.",
        '{"findings": [',
        '], "counts": {"bytes-missing": 0}, "links": 1, "bytes_checked": true}',
        "Storage default: SignedURLBackend does not redirect visitors to it.",
        "Storage archive: SignedURLBackend does not redirect visitors to it.",
        "Removed: nothing.",
        "Removed: nothing. (dry run: nothing was changed)",
        "Downloads: 0 waiting.",
        "Downloads: 0 added.",
        "Links: 2 exported.",
        "Links: 2 exported.",
        "3",
        f"{AGAIN} (dry run: nothing was changed)",
        AGAIN,
        "Links: 1 added, 0 there already, 0 without their file, 0 refused.",
    ]
