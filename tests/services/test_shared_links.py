"""Reusable links; ``test_creating.py`` has what happens when many ask at once."""

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from directlinks.models import DirectLink
from directlinks.services.shared_links import shared_links
from tests.factories import FileFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_files_at_hand_have_it_or_get_it() -> None:
    files, user = FileFactory.create_batch(2), UserFactory()
    links = shared_links(files, created_by=user)
    assert {key: link.file for key, link in links.items()} == {file.pk: file for file in files}
    assert shared_links(files, created_by=None) == links
    assert set(DirectLink.objects.values_list("created_by", flat=True)) == {user.pk}


def test_a_file_at_hand_that_was_renamed_gets_a_link_of_its_new_name() -> None:
    file = FileFactory(path="a.txt")
    shared_links([file], created_by=None)
    file.path = "b.txt"
    file.save()
    assert shared_links([file], created_by=None)[file.pk].name == "b.txt"


@pytest.mark.parametrize("length", [8, 22])
def test_names_are_kept_whatever_the_database_holds_by_default(
    settings: Settings, length: int
) -> None:
    """Of a document, MariaDB makes texts in the character set of the database."""
    settings.DIRECTLINKS = {"CODE_LENGTH": length}
    file = FileFactory(path="\U0001f600 \u6587.txt")
    with connection.cursor() as cursor:
        if connection.vendor == "mysql":
            cursor.execute("SET SESSION character_set_database = latin1")
        try:
            first, second = (shared_links([file], created_by=None) for _ in range(2))
        finally:
            if connection.vendor == "mysql":
                cursor.execute("SET SESSION character_set_database = utf8mb4")
    assert first == second
    link = DirectLink.objects.get()
    assert (link.name, link.reuse_name) == (file.name, file.name)
