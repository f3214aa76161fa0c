"""User models of all kinds: only a flag that is True makes a user staff or active.

One project for each shape of the flags ``is_active`` and ``is_staff``: fields of every kind,
properties, methods, values of the class, and none at all.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.real.databases import own_database
from tests.real.sites import DOCUMENTED_SETTINGS, Site, new_site
from tests.real.who_may import CALLS, PASSWORD

PEOPLE = """
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
{before}
class Person({bases}):
    email = models.EmailField(unique=True)
    objects = BaseUserManager()
    USERNAME_FIELD = "email"
{flags}
"""


class Kind(NamedTuple):
    """One kind of user: what its row has, as Python text, and what it is taken for."""

    columns: str
    active: bool
    staff: bool


class Shape(NamedTuple):
    """How a user model says who is active and staff, and the kinds of users that it may have."""

    flags: str
    kinds: list[Kind]
    before: str = ""
    bases: str = "AbstractBaseUser"
    # what the check says, as far as it is about the flags
    faults: tuple[str, ...] = ()
    # what the neighbour has, so that it is active if a user of this model can be
    usual: str = ""


BOOLEANS = """
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
"""

SHAPES = {
    "boolean fields": Shape(
        BOOLEANS,
        [
            Kind("", active=True, staff=False),
            Kind("is_staff=True", active=True, staff=True),
            Kind("is_active=False", active=False, staff=False),
            Kind("is_active=False, is_staff=True", active=False, staff=True),
        ],
    ),
    "fields that may be NULL": Shape(
        BOOLEANS.replace("default=", "null=True, default="),
        [
            Kind("is_staff=None", active=True, staff=False),
            Kind("is_active=None", active=False, staff=False),
            Kind("is_active=None, is_staff=True", active=False, staff=True),
        ],
    ),
    "whole numbers": Shape(
        """
    is_active = models.IntegerField(default=1)
    is_staff = models.IntegerField(default=1)
""",
        [
            Kind(f"is_active={number}, is_staff={number}", active=False, staff=False)
            for number in (0, 1, 2)
        ],
        faults=("Person.is_active is of the type", "Person.is_staff is of the type"),
    ),
    "a number and a text for staff": Shape(
        """
    is_active = models.BooleanField(default=True)
    is_staff = models.CharField(max_length=9)
""",
        [Kind(f"is_staff={text!r}", active=True, staff=False) for text in ("no", "False", "yes")],
        faults=("Person.is_staff is of the type CharField",),
        usual="is_staff='no'",
    ),
    "methods": Shape(
        """
    def is_active(self):
        return True

    def is_staff(self):
        return True
""",
        [Kind("", active=False, staff=False)],
        faults=("Person.is_active is a method", "Person.is_staff is a method"),
    ),
    "a method for staff": Shape(
        """
    is_active = models.BooleanField(default=True)

    def is_staff(self):
        return False
""",
        [
            Kind("", active=True, staff=False),
            Kind("is_active=False", active=False, staff=False),
        ],
        faults=("Person.is_staff is a method",),
    ),
    "properties": Shape(
        """
    rank = models.IntegerField(default=1)

    @property
    def is_active(self):
        return self.rank > 0 if self.rank < 7 else None

    @property
    def is_staff(self):
        return self.rank > 1 if self.rank < 5 else self.rank
""",
        [
            Kind("rank=0", active=False, staff=False),
            Kind("rank=1", active=True, staff=False),
            Kind("rank=2", active=True, staff=True),
            Kind("rank=5", active=True, staff=False),
            Kind("rank=7", active=False, staff=False),
        ],
    ),
    "nothing": Shape("", [Kind("", active=True, staff=False)]),
    "values of the class": Shape(
        """
    is_active = None
    is_staff = 1
""",
        [Kind("", active=False, staff=False)],
    ),
    "fields of another table": Shape(
        "",
        [
            Kind("", active=True, staff=False),
            Kind("is_staff=True", active=True, staff=True),
            Kind("is_active=False, is_staff=True", active=False, staff=True),
        ],
        before=f"""
class Account(models.Model):
{BOOLEANS}
""",
        bases="Account, AbstractBaseUser",
    ),
}


@pytest.fixture(scope="module", params=SHAPES, ids=lambda name: name.replace(" ", "_"))
def said(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A shape, and what the program says of a project with it."""
    shape = SHAPES[request.param]
    folder = tmp_path_factory.mktemp("site") / "project"
    with own_database(project(folder, shape)) as site:
        kinds = {f"kind{place}@example.org": kind for place, kind in enumerate(shape.kinds)}
        people = {email: kind.columns for email, kind in kinds.items()}
        answer = site.shell(
            *adding({"neighbour@example.org": shape.usual} | people),
            "import json; from tests.real.who_may import document",
            "print(json.dumps(document()))",
        )
    return shape, kinds, json.loads(answer)


def project(folder: Path, shape: Shape) -> Site:
    settings = f"""
{DOCUMENTED_SETTINGS}
INSTALLED_APPS += ["people"]
AUTH_USER_MODEL = "people.Person"
MEDIA_ROOT = BASE_DIR / "media"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
SILENCED_SYSTEM_CHECKS = ["directlinks.E033"]
ALLOWED_HOSTS = ["testserver"]
"""
    site = new_site(folder, settings=settings)
    (site.folder / "people").mkdir()
    (site.folder / "people" / "__init__.py").touch()
    models = PEOPLE.format(**{key: getattr(shape, key) for key in ("before", "bases", "flags")})
    (site.folder / "people" / "models.py").write_text(models)
    site.manage("makemigrations", "people", "-v", "0")
    return site


def adding(people: dict[str, str]) -> list[str]:
    """Lines that add people with these e-mail addresses and columns."""
    return [
        line
        for email, columns in people.items()
        for line in (
            f"person = Person(email={email!r}, {columns})",
            f"person.set_password({PASSWORD!r})",
            "person.save()",
        )
    ]


def test_only_the_value_true_makes_a_user_active_or_staff(said: Any) -> None:
    _, kinds, answer = said
    for email, kind in kinds.items():
        table = answer["tables"][email]
        may = {"own": kind.active, "foreign": kind.active and kind.staff}
        for whose, allowed in may.items():
            for way in ("token", "basic"):
                codes = table[whose][way]
                assert codes.keys() == CALLS.keys()
                refused = {name for name, code in codes.items() if code != 0}
                assert refused == (set() if allowed else set(CALLS)), (kind, whose, way, codes)
                # An inactive user is as good as one who has not logged in.
                assert kind.active or set(codes.values()) == {401}, (kind, whose, way, codes)
        assert table["visits"] == [302 if kind.active else 404] * 2, kind
        session = {"login": 0, "refresh": 0} if kind.active else {"login": 40018, "refresh": 40020}
        assert table["session"] == session, kind


def test_the_database_says_the_same_as_python(said: Any) -> None:
    _, kinds, answer = said
    assert answer["judgements"] == {
        email: [("active" if kind.active else "owner inactive")] * 4 + [str(kind.active)]
        for email, kind in kinds.items()
    }


def test_a_check_names_the_flags_that_are_never_true(said: Any) -> None:
    shape, _, answer = said
    faults = answer["checks"]
    assert len(faults) == len(shape.faults)
    assert all(map(str.startswith, faults, shape.faults)), faults
