from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from directlinks.models import File
from example_project.population import ADMIN, ALICE, settle

pytestmark = pytest.mark.django_db

FILES = {"notes.txt": b"notes", "photos/cat.png": b"cat"}


def alice() -> Any:
    return get_user_model().objects.get(username="alice")


def contents() -> dict[str, bytes]:
    return {str(f.path): Path(f.content.path).read_bytes() for f in File.objects.live()}


def test_a_person_has_an_account_and_the_files() -> None:
    settle(ALICE, FILES)
    assert alice().check_password(ALICE.password)
    assert contents() == FILES


@pytest.mark.parametrize("person", [ADMIN, ALICE])
def test_only_the_administrator_may_enter_the_admin(person: Any) -> None:
    settle(person, {})
    user = get_user_model().objects.get(username=person.name)
    assert (user.is_staff, user.is_superuser) == (person.is_admin, person.is_admin)


def test_settling_twice_changes_no_file_and_makes_nobody_new() -> None:
    settle(ALICE, FILES)
    before = list(File.objects.order_by("pk").values())
    settle(ALICE, FILES)
    assert list(File.objects.order_by("pk").values()) == before
    assert get_user_model().objects.count() == 1


def test_a_forgotten_password_works_again() -> None:
    settle(ALICE, {})
    user = alice()
    user.set_password("something else")
    user.is_active = False
    user.save()
    settle(ALICE, {})
    assert alice().check_password(ALICE.password)
    assert alice().is_active


def test_a_file_that_was_changed_is_put_right() -> None:
    settle(ALICE, {"notes.txt": b"other notes", "photos/cat.png": b"cat"})
    settle(ALICE, FILES)
    assert contents() == FILES


def test_a_file_in_the_trash_is_made_anew() -> None:
    settle(ALICE, FILES)
    File.objects.get(path="notes.txt").trash()
    settle(ALICE, FILES)
    assert contents() == FILES


def test_a_file_whose_bytes_are_gone_gets_them_back() -> None:
    settle(ALICE, FILES)
    Path(File.objects.get(path="notes.txt").content.path).unlink()
    settle(ALICE, FILES)
    assert contents() == FILES


def test_files_of_other_names_are_left_alone() -> None:
    settle(ALICE, {"own.txt": b"own"})
    settle(ALICE, FILES)
    assert contents() == {"own.txt": b"own", **FILES}
