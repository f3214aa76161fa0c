"""The link that everybody gets; ``test_creating.py`` has what happens when many ask at once."""

import pytest

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
