"""Servers of databases of our own, which may be stopped and started."""

import os
import shutil
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.real.programs import needed
from tests.real.servers import free_port
from tests.real.visitors import PATIENCE

# Debian keeps the server's programs out of the PATH.
POSTGRESQL = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")))[-1:]


class DatabaseServer(ABC):
    """A server in ``folder`` that the system's user of its kind runs."""

    user: str
    driver: str
    url: str

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> list[str]:
        """Return the server's command, which stays in the foreground."""

    @abstractmethod
    def is_up(self) -> bool:
        """Return True if it answers."""

    def run(self, *command: str) -> bool:
        """Run ``command`` as the user, and return True if it succeeds."""
        with (self.folder / "commands.log").open("ab") as log:
            return not subprocess.run(
                command, check=False, stdout=log, stderr=log, user=self._user(), cwd=self.folder
            ).returncode

    def start(self) -> None:
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(), stdout=log, stderr=log, user=self._user(), cwd=self.folder
            )
        give_up_at = time.monotonic() + PATIENCE
        while not self.is_up():
            assert self._process.poll() is None, (self.folder / "server.log").read_text()
            assert time.monotonic() < give_up_at
            time.sleep(0.1)

    def stop(self) -> None:
        """End it: connections break, and what was committed stays."""
        if self._process is not None:  # pragma: no branch  # a start that failed
            self._process.kill()
            self._process.wait()
            self._process = None

    def _user(self) -> str | None:
        return self.user if os.geteuid() == 0 else None


class PostgreSQL(DatabaseServer):
    user = "postgres"
    driver = "psycopg"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.data = folder / "data"
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        assert self.run(
            self._program("initdb"), "-D", str(self.data), "-A", "trust", "-U", "postgres", "-N"
        )

    def command(self) -> list[str]:
        listening = ["-p", str(self.port), "-k", str(self.folder), "-h", "127.0.0.1"]
        return [self._program("postgres"), "-D", str(self.data), *listening]

    def is_up(self) -> bool:
        address = ["-h", "127.0.0.1", "-p", str(self.port)]
        return self.run(self._program("pg_isready"), *address)

    def stop(self) -> None:
        # The first process alone would leave the others behind, which finish what they are asked.
        self.run(self._program("pg_ctl"), "-D", str(self.data), "-m", "fast", "stop")
        super().stop()

    def _program(self, name: str) -> str:
        return needed(shutil.which(name, path=os.pathsep.join(POSTGRESQL)) or name)


class PgBouncer(DatabaseServer):
    """In front of ``behind``, with a connection for each transaction."""

    user = "postgres"
    driver = "psycopg"

    def __init__(self, folder: Path, behind: PostgreSQL) -> None:
        super().__init__(folder)
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        self.settings = folder / "pgbouncer.ini"
        self.settings.write_text(
            f"[databases]\n* = host=127.0.0.1 port={behind.port} user=postgres\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {self.port}\n"
            "auth_type = any\npool_mode = transaction\nunix_socket_dir =\n"
            "query_wait_timeout = 1\nserver_login_retry = 1\n"
            "admin_users = postgres\nignore_startup_parameters = extra_float_digits\n"
        )

    def command(self) -> list[str]:
        return [needed("pgbouncer"), str(self.settings)]

    def is_up(self) -> bool:
        return self.tell("SHOW VERSION")

    def tell(self, command: str) -> bool:
        """Say ``command`` to its console."""
        psql = needed(shutil.which("psql", path=os.pathsep.join(POSTGRESQL)) or "psql")
        address = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres"]
        return self.run(psql, *address, "-d", "pgbouncer", "-c", command)


class MariaDB(DatabaseServer):
    user = "mysql"
    driver = "MySQLdb"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.url = f"mysql://root@127.0.0.1:{self.port}/mysql"
        install = [needed("mariadb-install-db"), "--no-defaults", f"--datadir={folder}/data"]
        assert self.run(*install, "--auth-root-authentication-method=normal")

    def command(self) -> list[str]:
        place = [f"--datadir={self.folder}/data", f"--socket={self.folder}/socket"]
        listening = [f"--port={self.port}", "--bind-address=127.0.0.1"]
        text = "--character-set-server=utf8mb4"
        return [needed("mariadbd"), "--no-defaults", *place, *listening, text]

    def is_up(self) -> bool:
        admin = [needed("mariadb-admin"), "--no-defaults", f"--socket={self.folder}/socket"]
        return self.run(*admin, "--user=root", "ping")


@contextmanager
def server_folder(user: str) -> Iterator[Path]:
    """A new folder of ``user``, whom pytest's own folders do not let in."""
    # The server removes some of it itself while it ends.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        if os.geteuid() == 0:  # pragma: no branch  # else it is ours already
            shutil.chown(folder, user)
        yield folder
