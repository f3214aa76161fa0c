"""The people of the demo and the files in their spaces. Populating twice is populating once."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.core.files.base import ContentFile

from directlinks.models import File
from directlinks.storage import lacks_bytes


@dataclass(frozen=True, slots=True)
class Person:
    """A user who can log in, with a password that is no secret."""

    name: str
    password: str
    role: str
    is_admin: bool = False


ADMIN = Person("admin", "demo-admin", "administrator: manages every file and link", is_admin=True)
ALICE = Person("alice", "demo-alice", "owns the files of the tour")
BOB = Person("bob", "demo-bob", "owns a file that Alice may not link")


def settle(person: Person, files: Mapping[str, bytes]) -> None:
    """Give ``person`` an account and exactly these contents at these paths.

    What has been changed since the last time is put right; other files are left alone.
    """
    user, _ = get_user_model().objects.update_or_create(
        username=person.name,
        defaults={
            "email": f"{person.name}@example.org",
            "password": make_password(person.password),
            "is_active": True,
            "is_staff": person.is_admin,
            "is_superuser": person.is_admin,
        },
    )
    for path, data in files.items():
        file = File.objects.at([(user.pk, path)]).first() or File(owner=user, path=path)
        if not _holds(file, data):
            file.content = ContentFile(data, name=file.name)
            file.save()


def _holds(file: File, data: bytes) -> bool:
    if lacks_bytes(file.content):
        return False
    with file.content.open("rb") as content:
        return bool(content.read() == data)
