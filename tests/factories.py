"""Users, files and links as tests need them."""

import factory
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core.files.base import ContentFile

from directlinks.models import DirectLink, File

PASSWORD = "correct horse"


def owner_of(file: File) -> User:
    """Return the owner of ``file``, which has one."""
    owner: User | None = file.owner
    assert owner is not None
    return owner


class UserFactory(factory.django.DjangoModelFactory):
    """A user whose password is PASSWORD."""

    class Meta:
        model = get_user_model()

    username = factory.Sequence(lambda number: f"user{number}")
    email = factory.LazyAttribute(lambda user: f"{user.username}@example.org")
    password = factory.LazyFunction(lambda: make_password(PASSWORD))


class FileFactory(factory.django.DjangoModelFactory):
    """A live file with the bytes ``data``."""

    class Meta:
        model = File

    class Params:
        data = b"some bytes"

    owner = factory.SubFactory(UserFactory)
    path = factory.Sequence(lambda number: f"folder/file{number}.txt")
    content = factory.LazyAttribute(lambda file: ContentFile(file.data, name="upload"))


class DirectLinkFactory(factory.django.DjangoModelFactory):
    """A link without limits to a file of its own."""

    class Meta:
        model = DirectLink

    file = factory.SubFactory(FileFactory)
