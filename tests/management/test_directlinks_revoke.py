"""``manage.py directlinks_revoke`` as whoever runs it sees it."""

from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError
from django.db import connection

from directlinks import querysets
from directlinks.datetimes import as_stored
from directlinks.models import DirectLink
from tests.factories import DirectLinkFactory, FileFactory, UserFactory
from tests.management.terminals import Terminal, interrupted, said, typing

pytestmark = pytest.mark.django_db


def revoke(*args: object, into: StringIO | None = None) -> str:
    return said("directlinks_revoke", *args, into=into)


def standing() -> set[str]:
    """The labels of the links that are not revoked."""
    return set(DirectLink.objects.filter(revoked_at=None).values_list("label", flat=True))


@pytest.fixture
def ann() -> Any:
    """The owner of two files, with links that are told apart by their labels."""
    ann = UserFactory(username="ann")
    file = FileFactory(owner=ann, path="a/b.txt")
    for label in ("b1", "b2"):
        DirectLinkFactory(file=file, label=label, code=f"code-{label}")
    DirectLinkFactory(file__owner=ann, file__path="c.txt", label="c", code="code-c")
    DirectLinkFactory(file__path="a/b.txt", label="c", code="code-bobs")
    return ann


@pytest.mark.parametrize(
    ("which", "left"),
    [
        (("code-b1", "code-bobs"), {"b2", "c"}),
        (("--owner=ann",), {"c"}),
        (("--owner=ann", "--file=a/b.txt"), {"c"}),
        (("--owner=ann", "--file=b.txt"), {"b1", "b2", "c"}),
        (("--label=c",), {"b1", "b2"}),
        (("--owner=ann", "--label=c"), {"b1", "b2", "c"}),
        (("--owner=ann", "--file=a/b.txt", "--label=b1"), {"b2", "c"}),
        (("--label=B1",), {"b1", "b2", "c"}),
    ],
)
def test_links_are_found_by_code_owner_file_and_label(
    ann: Any, which: tuple[str, ...], left: set[str]
) -> None:
    before = DirectLink.objects.filter(revoked_at=None).count()
    printed = revoke(*which)
    number = before - DirectLink.objects.filter(revoked_at=None).count()
    assert printed == f"Links: {number} revoked.\n"
    assert standing() == left


def test_the_links_of_a_file_in_the_trash_can_be_revoked(ann: Any) -> None:
    ann.directlinks_files.get(path="a/b.txt").trash()
    assert revoke("--owner=ann", "--file=a/b.txt") == "Links: 2 revoked.\n"


def test_a_dry_run_only_counts(ann: Any) -> None:
    before = list(DirectLink.objects.order_by("pk").values())
    assert revoke("--owner=ann", "--dry-run") == (
        "Links: 3 revoked. (dry run: nothing was changed)\n"
    )
    assert list(DirectLink.objects.order_by("pk").values()) == before


def test_what_is_revoked_stays_as_it_is(ann: Any) -> None:
    then = as_stored(datetime(2020, 1, 1, tzinfo=UTC))
    DirectLink.objects.filter(code="code-b1").update(revoked_at=then)
    assert revoke("code-b1", "code-b2") == "Links: 1 revoked.\n"
    assert DirectLink.objects.get(code="code-b1").revoked_at == then


@pytest.mark.parametrize(
    ("which", "fault"),
    [
        ((), "Specify links"),
        (("code-c", "--owner=ann"), "Specify links"),
        (("--file=c.txt",), "requires --owner"),
        (("--owner=nobody",), "There is no user 'nobody'"),
    ],
)
def test_it_must_be_said_which(ann: Any, which: tuple[str, ...], fault: str) -> None:
    with pytest.raises(CommandError, match=fault):
        revoke(*which)
    assert standing() == {"b1", "b2", "c"}


def test_unknown_codes_are_told_shortened_and_the_rest_goes_on(
    ann: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    out = StringIO()
    with pytest.raises(CommandError, match="2 could not be found"):
        revoke("code-b1", "code-unknown", "no code", into=out)
    assert out.getvalue() == "Links: 1 revoked.\n"
    assert capsys.readouterr().err == ("code…: No such link.\n(no code): No such link.\n")


class TestTerminal:
    def test_is_asked_before(
        self, ann: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with typing("n\n", monkeypatch), pytest.raises(CommandError, match="Nothing was revoked"):
            revoke("--owner=ann")
        assert standing() == {"b1", "b2", "c"}
        with typing("y\n", monkeypatch):
            revoke("--owner=ann")
        assert standing() == {"c"}
        assert capsys.readouterr().err == "Revoke 3 links for good? [y/N] " * 2

    def test_is_not_asked_where_yes_was_said(
        self, ann: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with typing("n\n", monkeypatch):
            revoke("--owner=ann", "--yes")
        assert standing() == {"c"}

    def test_sees_how_far_it_is(self, ann: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(querysets, "STEP", 2)
        assert revoke("--owner=ann", into=Terminal()) == (
            "\r\x1b[K2 revoked\r\x1b[K3 revoked\r\x1b[KLinks: 3 revoked.\n"
        )


@pytest.mark.django_db(transaction=True)
def test_an_interrupt_leaves_whole_steps_and_the_rest_can_be_done(
    ann: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(querysets, "STEP", 2)
    out = StringIO()
    with (
        interrupted("directlinks_directlink", "UPDATE", after=1),
        pytest.raises(CommandError, match="Run the same command again"),
    ):
        revoke("--owner=ann", into=out)
    assert out.getvalue() == "Links: 2 revoked.\n"
    assert standing() == {"c"}
    assert DirectLink.objects.filter(revoked_at=None).count() == 2
    assert revoke("--owner=ann") == "Links: 1 revoked.\n"


def test_five_hundred_links_take_as_many_statements(
    ann: Any, django_assert_num_queries: Any
) -> None:
    file = ann.directlinks_files.get(path="c.txt")
    DirectLink.objects.bulk_create(DirectLink(file=file, name="c.txt") for _ in range(496))
    # The owner, the links, and a lock and one UPDATE between the two of their savepoint.
    locks = int(connection.features.has_select_for_update)
    with django_assert_num_queries(5 + locks):
        assert revoke("--owner=ann") == "Links: 499 revoked.\n"
