"""Exported links in LibreOffice itself: it computes nothing in them, however it divides them."""

import csv
import io
import re
import subprocess
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from directlinks.core.records import unescape_cell
from directlinks.models import DirectLink
from tests.factories import DirectLinkFactory, FileFactory, UserFactory
from tests.real.programs import needed

pytestmark = pytest.mark.django_db

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t"}
FORMULAS = [
    f"{before}{formula}"
    for formula in ("=1+11", "+1+11", "-1+11", "@SUM(1;11)", "'=1+11")
    for before in (
        "",
        "a;",
        "a; ",
        "a;;",
        "a,",
        "a\t",
        "a\n",
        "a\r\n",
        'a"\n',
        'a;"',
        '";"',
        "a\n;",
    )
]
HOSTILE = [*FORMULAS, "\uff1d1+11", "it's; 'quoted'", 'a"b""c', "- a - b", "{=1+11}"]


@pytest.fixture
def exported(tmp_path: Path, admin_client: Client) -> list[Path]:
    """What the admin exports, and what the command does."""
    file = FileFactory(owner=UserFactory(username="=1+11"), path="a;=1+11/=2+22")
    for text in HOSTILE:
        DirectLinkFactory(file=file, name=";=1+11", label=re.sub("[\r\n]", "", text), note=text)
    links = list(DirectLink.objects.values_list("pk", flat=True))
    chosen = {"action": "export_links", "_selected_action": links}
    answer = admin_client.post("/admin/directlinks/directlink/", chosen)
    places = [tmp_path / "admin.csv", tmp_path / "command.csv"]
    places[0].write_bytes(answer.getvalue())
    call_command("directlinks_export", places[1])
    return places


def opened(places: list[Path], separator: str, kind: str, into: Path) -> list[str]:
    """Have LibreOffice open ``places`` with ``separator``, formulas and all, and save them anew."""
    into.mkdir()
    tokens = f"CSV:{ord(separator)},34,76,1,,0,false,true,false,false,false,0,true"
    profile = f"-env:UserInstallation=file://{into}/profile"
    subprocess.run(
        [
            *(needed("soffice"), profile, "--headless", f"--infilter={tokens}"),
            *("--convert-to", kind, "--outdir", into),
            *places,
        ],
        check=True,
        capture_output=True,
        timeout=300,
    )
    suffix = kind.partition(":")[0]
    return [
        (into / place.name).with_suffix(f".{suffix}").read_text("utf-8-sig") for place in places
    ]


@pytest.mark.parametrize("separator", SEPARATORS.values(), ids=SEPARATORS)
def test_nothing_is_computed(exported: list[Path], tmp_path: Path, separator: str) -> None:
    control = tmp_path / "control.csv"
    control.write_text(f"a{separator}=1+11\n")

    *sheets, computed = opened([*exported, control], separator, "fods", tmp_path / "opened")

    assert "table:formula" in computed
    assert [re.findall(r"table:formula[^ ]*", sheet) for sheet in sheets] == [[], []]


def test_what_it_saves_holds_the_texts(exported: list[Path], tmp_path: Path) -> None:
    saved = opened(exported, ",", "csv:Text - txt - csv (StarCalc):59,34,76", tmp_path / "opened")

    for text in saved:
        rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=";")
        notes = {unescape_cell(row["note"]) for row in rows}
        assert notes == {text.replace("\r\n", "\n") for text in HOSTILE}


def test_what_it_saves_with_semicolons_can_be_imported(
    exported: list[Path], tmp_path: Path
) -> None:
    before = set(DirectLink.objects.values_list("code", "label"))
    (saved,) = opened(
        exported[1:], ",", "csv:Text - txt - csv (StarCalc):59,34,76", tmp_path / "opened"
    )
    DirectLink.objects.all().delete()
    (tmp_path / "saved.csv").write_text(f"{saved}{';' * 20}\n")

    call_command("directlinks_import", tmp_path / "saved.csv", verbosity=0)

    assert set(DirectLink.objects.values_list("code", "label")) == before
