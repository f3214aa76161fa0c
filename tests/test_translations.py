"""Every text that people read is there in each language, and says the same."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import trans_real

import directlinks
from directlinks.core import paths
from directlinks.models.contents import PATH_FAULTS, validate_path
from tests.factories import DirectLinkFactory
from tests.real.programs import needed

PACKAGE = Path(directlinks.__file__).parent
CATALOGUES = sorted(PACKAGE.glob("locale/*/LC_MESSAGES/django.po"))
ARABIC = """
msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\\n"

msgid "This link does not work"
msgstr "لا يوجد ملف"
"""
CHINESE = {"Accept": "text/html", "Accept-Language": "zh-hans"}

every_catalogue = pytest.mark.parametrize(
    "catalogue", CATALOGUES, ids=lambda path: path.parent.parent.name
)


def messages(catalogue: Path) -> dict[str, str]:
    """Translations by their originals, plural forms after the singular."""
    text = re.sub(r'"\n"', "", catalogue.read_text())
    pair = r'^msgid "(.+)"$\n(?:^msgid_plural "(.*)"$\n)?((?:^msgstr.*$\n?)+)'
    return {
        match[1]: "".join(re.findall(r'"(.*)"', match[3]))
        for match in re.finditer(pair, text.replace('msgid ""\n"', 'msgid "'), re.MULTILINE)
    }


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"%(?:\(\w+\))?[ds]", text))


def test_there_is_simplified_chinese() -> None:
    assert [path.parent.parent.name for path in CATALOGUES] == ["zh_Hans"]


@every_catalogue
def test_each_text_is_translated_with_what_is_put_into_it(catalogue: Path) -> None:
    found = messages(catalogue)
    assert len(found) > 150
    for original, translated in found.items():
        assert translated, original
        assert placeholders(original) == placeholders(translated), original
    assert "fuzzy" not in catalogue.read_text()


@every_catalogue
def test_no_text_is_missing(
    catalogue: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed("xgettext")
    copy = tmp_path / "directlinks"
    shutil.copytree(PACKAGE, copy)
    monkeypatch.chdir(copy)
    language = catalogue.parent.parent.name
    call_command("makemessages", locale=[language], no_location=True, no_obsolete=True, verbosity=0)
    anew = copy / catalogue.relative_to(PACKAGE)
    assert messages(anew).keys() == messages(catalogue).keys()


@every_catalogue
def test_what_is_compiled_is_what_is_written(catalogue: Path, tmp_path: Path) -> None:
    compiled = tmp_path / "django.mo"
    command = [needed("msgfmt"), "--check", "-o", str(compiled), str(catalogue)]
    subprocess.run(command, check=True, capture_output=True)
    assert compiled.read_bytes() == catalogue.with_suffix(".mo").read_bytes()


@pytest.mark.django_db
class TestInChinese:
    def test_a_visitor_is_told_in_the_browsers_language(self) -> None:
        answer: Any = Client().get("/f/abcdefgh/a.txt", headers=CHINESE)
        assert "此链接无法使用" in answer.content.decode()
        assert answer.headers["Content-Language"] == "zh-hans"

    @pytest.mark.parametrize(
        ("asked", "of_site", "is_translating", "told"),
        [
            ("en-gb", "en-us", True, "en-gb"),
            # There is no translation to these.
            ("fr", "en-us", True, "en"),
            ("ar", "en-us", True, "en"),
            ("zh-hant", "en-us", True, "en"),
            ("fr", "de", True, "en"),
            # Django shows the site's own language instead.
            ("fr", "zh-hans", True, "zh-hans"),
            ("en", "zh-hans", True, "en"),
            ("zh-hans", "de", True, "zh-hans"),
            ("zh-hans", "ar", False, "en"),
        ],
    )
    def test_a_page_says_which_language_it_is_in(
        self,
        asked: str,
        of_site: str,
        is_translating: bool,
        told: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        # What Django keeps of the languages of the tests.
        monkeypatch.setattr(trans_real, "_translations", {})
        fresh = type(vars(translation)["_trans"])()
        monkeypatch.setattr("django.utils.translation._trans", fresh)
        with override_settings(LANGUAGE_CODE=of_site, USE_I18N=is_translating):
            headers = CHINESE | {"Accept-Language": asked}
            answer: Any = Client().get("/f/abcdefgh/a.txt", headers=headers)
        page = answer.content.decode()
        assert ("此链接无法使用" in page) is (told == "zh-hans")
        assert answer.headers["Content-Language"] == told
        assert f'<html lang="{told}" dir="ltr">' in page

    def test_a_translation_of_the_sites_own_counts(self, tmp_path: Path) -> None:
        folder = tmp_path / "ar" / "LC_MESSAGES"
        folder.mkdir(parents=True)
        (folder / "django.po").write_text(ARABIC)
        command = [needed("msgfmt"), "-o", str(folder / "django.mo"), str(folder / "django.po")]
        subprocess.run(command, check=True, capture_output=True)
        with override_settings(LOCALE_PATHS=[str(tmp_path)]):
            answer: Any = Client().get(
                "/f/abcdefgh/a.txt", headers=CHINESE | {"Accept-Language": "ar"}
            )
        assert answer.headers["Content-Language"] == "ar"
        assert '<html lang="ar" dir="rtl">' in answer.content.decode()

    def test_the_password_page_is_chinese(self) -> None:
        link = DirectLinkFactory(password=make_password("secret"))
        answer: Any = Client().get(link.get_absolute_url(), headers=CHINESE)
        assert "此文件受密码保护" in answer.content.decode()

    def test_the_admin_is_chinese(self, admin_client: Client) -> None:
        link = DirectLinkFactory(paused=True)
        with translation.override("zh-hans"):
            links = reverse("admin:directlinks_directlink_changelist")
            page: Any = admin_client.get(links, headers=CHINESE)
        assert "已暂停" in page.content.decode()
        assert str(link.name) in page.content.decode()

    @pytest.mark.parametrize(
        "path",
        ["", "a" * 1025, "a/" * 64 + "a", "a\nb", "a//b", "é" * 128],
    )
    def test_the_fault_of_a_path_is_translated(self, path: str) -> None:
        assert paths.fault(path) in PATH_FAULTS
        with pytest.raises(ValidationError) as caught:
            validate_path(path)
        with translation.override("zh-hans"):
            assert caught.value.messages[0].endswith("。") or "路径" in caught.value.messages[0]
