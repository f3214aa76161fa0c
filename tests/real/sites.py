"""Projects as ``startproject`` writes them, run by processes of their own."""

import json
import os
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import directlinks

CHECKOUT = Path(directlinks.__file__).resolve().parent.parent
PASSWORD = "correct horse"

# What the documentation tells a site to add, and nothing else.
DOCUMENTED_SETTINGS = 'INSTALLED_APPS += ["rest_framework", "directlinks"]\n'
DOCUMENTED_URLS = """
from django.urls import include
urlpatterns = [
    path("", include("directlinks.urls")),
    path("api/v4/", include("directlinks.api.urls")),
    *urlpatterns,
]
"""


@dataclass(frozen=True, slots=True)
class Site:
    """The project ``mysite`` in ``folder``, which finds directlinks in ``packages``."""

    folder: Path
    packages: Path
    settings_module: str = "mysite.settings"

    @property
    def environment(self) -> dict[str, str]:
        """That of its processes: nothing in it leads to the settings of the tests."""
        return {
            **os.environ,
            **_measured_without_greenlets(),
            "PYTHONPATH": str(self.packages),
            "DJANGO_SETTINGS_MODULE": self.settings_module,
        }

    def manage(self, *arguments: str) -> str:
        """What ``manage.py`` with these arguments says."""
        return run(
            [sys.executable, "manage.py", *arguments], cwd=self.folder, environment=self.environment
        )

    def shell(self, *lines: str) -> str:
        """What a program of these lines prints, with the models of the site at hand."""
        return self.manage("shell", "-v", "0", "-c", "\n".join(lines)).strip()

    def append(self, name: str, text: str) -> None:
        with (self.folder / name).open("a") as file:
            file.write(text)

    def variant(self, name: str, settings: str) -> "Site":
        """The same project with other settings after its own, for processes that start now."""
        module = f"from mysite.settings import *\n{settings}"
        (self.folder / "mysite" / f"{name}.py").write_text(module)
        return replace(self, settings_module=f"mysite.{name}")

    def add_user(self, name: str) -> None:
        """A user of Django's own model, with PASSWORD."""
        self.shell(f'User.objects.create_user("{name}", "{name}@example.org", "{PASSWORD}")')

    def add_links(self, contents: Mapping[str, bytes], limits: str = "") -> dict[str, str]:
        """New files of ada's, and the path of a link with ``limits`` to each, by the file's."""
        links = self.shell(
            "import json",
            "from datetime import UTC, datetime",
            "from django.core.files.base import ContentFile",
            "from directlinks.models import DirectLink, File",
            'ada = User.objects.get(username="ada")',
            f"contents = {dict(contents)!r}",
            "def add(path, data):",
            '    content = ContentFile(data, name=path.rpartition("/")[2])',
            "    file = File.objects.create(owner=ada, path=path, content=content)",
            f"    return DirectLink.objects.create(file=file, {limits}).get_absolute_url()",
            "print(json.dumps({path: add(path, data) for path, data in contents.items()}))",
        )
        return dict(json.loads(links))

    def revoke(self, link: str) -> None:
        """Revoke the link at this path or URL."""
        code, _ = link.split("/")[-2:]
        self.shell(
            "from django.utils import timezone",
            "from directlinks.models import DirectLink",
            f'link = DirectLink.objects.filter(code="{code}")',
            "print(link.update(revoked_at=timezone.now()))",
        )

    def replace_content(self, path: str, data: bytes) -> None:
        """Other bytes for ada's file at ``path``."""
        self.shell(
            "from django.core.files.base import ContentFile",
            "from directlinks.models import File",
            f"file = File.objects.get(path={path!r})",
            f"file.content = ContentFile({data!r}, name=file.name)",
            "file.save()",
        )


def _measured_without_greenlets() -> dict[str, str]:
    """How coverage, where it is at work, is to measure the processes of a site.

    Greenlets are the browser's; to look for them in a server of many threads may never end.
    """
    name = "COVERAGE_PROCESS_CONFIG"
    config = json.loads(b64decode(os.environ.get(name, b64encode(b"{}"))))
    changed = b64encode(json.dumps({**config, "concurrency": ["thread"]}).encode()).decode()
    return {name: changed} if config else {}


def new_site(
    folder: Path,
    *,
    packages: Path = CHECKOUT,
    settings: str = DOCUMENTED_SETTINGS,
    urls: str = DOCUMENTED_URLS,
) -> Site:
    """An untouched project with ``settings`` and ``urls`` appended; its tables are yet to come."""
    site = Site(folder, packages)
    folder.mkdir(parents=True)
    (folder / "mysite").mkdir()
    for name, text in _files_of_startproject().items():
        (folder / name).write_text(text)
    site.append("mysite/settings.py", settings)
    site.append("mysite/urls.py", urls)
    return site


@cache
def _files_of_startproject() -> dict[str, str]:
    """Return what Django's own command makes, by the names of the files; it takes a second."""
    with TemporaryDirectory() as scratch:
        run(
            [sys.executable, "-m", "django", "startproject", "mysite", "."],
            cwd=Path(scratch),
            # The command is to meet no settings: the project is what it makes.
            environment={**os.environ, "DJANGO_SETTINGS_MODULE": ""},
        )
        files = Path(scratch).rglob("*.py")
        return {str(file.relative_to(scratch)): file.read_text() for file in files}


def run(
    command: list[str], *, cwd: Path, environment: Mapping[str, str], patience: float = 300
) -> str:
    """The standard output of ``command``, which must succeed, within ``patience`` seconds."""
    finished = subprocess.run(
        command,
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=patience,
        check=False,
    )
    assert finished.returncode == 0, f"{command}\n{finished.stdout}\n{finished.stderr}"
    return finished.stdout
