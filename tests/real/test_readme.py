"""The README's own examples, run as they stand."""

import re
import sys
from pathlib import Path

from tests.real.servers import gunicorn
from tests.real.sites import CHECKOUT, new_site, run

README = (CHECKOUT / "README.md").read_text()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str, heading: str) -> list[str]:
    """The code blocks in ``language`` below ``heading``."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [code for tag, code in BLOCK.findall(section) if tag == language]


def test_a_stranger_who_follows_it_makes_and_revokes_a_link(tmp_path: Path) -> None:
    settings, urls = blocks("python", "Installation")
    site = new_site(
        tmp_path / "project",
        settings=settings,
        urls=f"\n{urls}",
    )
    site.manage("migrate", "-v", "0")
    site.add_user("alice")
    commands = "".join(blocks("sh", "Quick start"))
    with gunicorn(site) as server:
        # The shell's python is the one that runs these tests.
        output = run(
            ["bash", "-euc", commands.replace("http://localhost:8000", server.origin)],
            cwd=site.folder,
            environment={**site.environment, "PATH": python_first()},
        )
    added, envelopes = output.split("\n", 1)
    assert added == "Files: 1 added, 0 replaced, 0 there already."
    assert '"file_url":"cloudreve://my/greetings/hello.txt"' in envelopes
    whole_and_part = "hello\nel"
    revoked = '{"code":0,"msg":""}404\n'
    assert envelopes.endswith(whole_and_part + revoked)


def python_first() -> str:
    return f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
