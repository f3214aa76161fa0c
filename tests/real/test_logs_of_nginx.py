"""The log of nginx, with exactly the lines that docs/logs.md shows."""

import re
from pathlib import Path

import pytest

from tests.real.programs import needed
from tests.real.servers import free_port, running
from tests.real.visitors import ask
from tests.real.web_servers import NGINX
from tests.test_logs_page import CODE, PAGE


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        (f"/f/{CODE}/a.txt", "/f/7Xc5..."),
        (f"/f/d/{CODE}/a.txt?x=1", "/f/d/7Xc5..."),
        (f"/files/f/t/{CODE}.{CODE}/a.txt", "/files/f/t/7Xc5..."),
        (f"/api/v4/file/source/{CODE}/rotate", "/api/v4/file/source/7Xc5..."),
        ("/news/?page=2", "/news/?page=2"),
    ],
)
def test_it_has_the_beginning_of_a_code_alone(path: str, logged: str, tmp_path: Path) -> None:
    (lines,) = re.findall(r"```nginx\n(.*?)```", PAGE, re.DOTALL)
    log, port = tmp_path / "access.log", free_port()
    site = f"server {{ listen 127.0.0.1:{port}; location / {{ return 204; }} }}"
    (tmp_path / "site.conf").write_text(lines.replace("/var/log/nginx/access.log", str(log)) + site)
    main = tmp_path / "main.conf"
    main.write_text(NGINX.format(folder=tmp_path).replace("access_log off;", ""))
    command = [needed("nginx"), "-e", "stderr", "-p", str(tmp_path), "-c", str(main)]
    with running(command, port, tmp_path / "nginx.log") as server:
        assert ask("GET", server.origin + path).status == 204
    # The log is written by the time at which the server has ended.
    line = log.read_text().splitlines()[-1]
    assert f'"GET {logged}" 204' in line
    assert CODE not in line
