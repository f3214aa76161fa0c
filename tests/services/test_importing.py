"""Links that come back as they were, and those that cannot."""

import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.conf import settings as site
from django.db import IntegrityError, connection
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from directlinks import signals
from directlinks.core.records import FORMATS, LinkRecord, Numbered
from directlinks.datetimes import as_stored
from directlinks.models import DailyDownloads, DirectLink, FormerCode
from directlinks.services.transfer import Outcome, as_kept, export_links, import_links
from tests.examples import examples
from tests.factories import DirectLinkFactory, FileFactory, UserFactory

pytestmark = pytest.mark.django_db

NOW = as_stored(datetime(2026, 5, 4, 12, tzinfo=UTC))
THEN = as_stored(datetime(2025, 12, 31, 23, 59, 59, 999999, tzinfo=UTC))


def bring_in(*lines: LinkRecord | ValueError, dry_run: bool = False) -> tuple[Any, list[str]]:
    """How many became what, and the faults."""
    outcomes: Counter[Outcome] = Counter()
    faults: list[str] = []
    numbered: Iterator[Numbered] = iter(enumerate(lines, 1))
    for step in import_links(numbered, now=NOW, dry_run=dry_run):
        outcomes += step.outcomes
        faults += [f"{number}: {fault}" for number, fault in step.faults]
    return dict(outcomes), faults


def everything() -> list[Any]:
    """All that is known of links, without the keys that a database gives."""
    links = [
        {name: value for name, value in link.items() if name != "id"}
        for link in DirectLink.objects.order_by("code").values()
    ]
    days = DailyDownloads.objects.order_by("link__code", "day")
    former = FormerCode.objects.order_by("code")
    return [
        links,
        list(days.values("link__code", "day", "downloads")),
        list(former.values("link__code", "code", "until")),
    ]


def out_and_in(name: str) -> tuple[Any, list[str]]:
    """Export all links, wipe them, and import them again, in the format ``name``."""
    file = io.StringIO(newline="")
    steps = export_links(DirectLink.objects.all())
    FORMATS[name].write(file, (record for step in steps for record in step))
    DirectLink.objects.all().delete()
    file.seek(0)
    return bring_in(*(line for _, line in FORMATS[name].read(file)))


def a_bit_of_everything() -> None:
    ann = UserFactory(username="=ann")
    file = FileFactory(owner=ann, path="a/=b, c.txt")
    DirectLinkFactory(file=file, reuse_name=file.name, name=file.name, downloads=3)
    full = DirectLinkFactory(
        file=file,
        name="'old\u2028name.txt",
        created_by=UserFactory(username="bob"),
        not_before=THEN,
        expires_at=NOW,
        max_downloads=7,
        paused=True,
        password="md5$salt$hash",
        referers="a.example\nb.example",
        ask_first=True,
        label='=HYPERLINK("x")',
        note="\ttab\r\nnew line",
        downloads=2**40,
        last_opened_at=THEN,
        revoked_at=THEN,
    )
    DailyDownloads.objects.create(link=full, day="2026-01-01", downloads=1)
    DailyDownloads.objects.create(link=full, day="2026-02-01", downloads=2)
    FormerCode.objects.create(link=full, code="-former1", until=THEN)
    FormerCode.objects.create(link=full, code="former-2")
    DirectLinkFactory(file=file)
    DirectLinkFactory(file=file)
    file.trash()
    same_path = FileFactory(owner=ann, path=file.path)
    DirectLinkFactory(file=same_path, reuse_name=same_path.name, name=same_path.name)
    DirectLink.objects.update(created_at=THEN)


@pytest.mark.parametrize("name", FORMATS)
def test_what_was_wiped_is_as_it_was(name: str) -> None:
    a_bit_of_everything()
    before = everything()
    assert out_and_in(name) == ({Outcome.ADDED: 5}, [])
    assert everything() == before


@pytest.mark.parametrize("name", FORMATS)
@given(text=st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=50))
@hypothesis_settings(
    max_examples=examples(20),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_hostile_texts_are_as_they_were(name: str, text: str) -> None:
    """Within ASCII, which each database holds in every column; of others, see the records."""
    DirectLink.objects.all().delete()
    DirectLinkFactory(label=text, note=text * 3)
    before = everything()
    assert out_and_in(name) == ({Outcome.ADDED: 1}, [])
    assert everything() == before


def test_it_can_be_run_again() -> None:
    a_bit_of_everything()
    records = [record for step in export_links(DirectLink.objects.all()) for record in step]
    before = everything()
    assert bring_in(*records) == ({Outcome.KEPT: 5}, [])
    assert everything() == before


def test_a_dry_run_changes_nothing() -> None:
    a_bit_of_everything()
    records = [record for step in export_links(DirectLink.objects.all()) for record in step]
    DirectLink.objects.filter(code__in=[records[1].code, records[2].code]).delete()
    before = everything()
    assert bring_in(*records, dry_run=True) == ({Outcome.ADDED: 2, Outcome.KEPT: 3}, [])
    assert everything() == before


@pytest.fixture
def ann() -> Any:
    ann = UserFactory(username="ann")
    FileFactory(owner=ann, path="a.txt")
    FileFactory(owner=ann, path="b.txt")
    return ann


def record(code: str = "abcdefgh", path: str = "a.txt", **facts: Any) -> LinkRecord:
    return LinkRecord(**{"code": code, "owner": "ann", "path": path, "name": path, **facts})


@pytest.mark.usefixtures("ann")
class TestImporting:
    def test_what_is_left_out_is_as_for_a_new_link(self) -> None:
        assert bring_in(record()) == ({Outcome.ADDED: 1}, [])
        link = DirectLink.objects.get()
        assert (link.code, link.name, link.created_at) == ("abcdefgh", "a.txt", NOW)

    def test_a_moment_without_a_zone_is_in_the_sites(self) -> None:
        naive = datetime(2026, 1, 1, 8)  # noqa: DTZ001  # as people write it
        bring_in(record(expires_at=naive, former_codes={"former": naive}))
        moment = as_stored(datetime(2026, 1, 1, 0, tzinfo=UTC))
        assert DirectLink.objects.get().expires_at == moment
        assert FormerCode.objects.get().until == moment

    def test_a_site_without_time_zones_keeps_moments_without(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(site, "USE_TZ", False)
        naive = datetime(2026, 1, 1, 8)  # noqa: DTZ001  # as such a site has them
        assert as_kept(naive) == as_kept(as_stored(datetime(2026, 1, 1, 0, tzinfo=UTC))) == naive

    def test_a_creator_who_is_gone_is_nobody(self) -> None:
        bring_in(record(created_by="carl"))
        assert DirectLink.objects.get().created_by is None

    @pytest.mark.parametrize(
        "facts",
        [
            {"path": "c.txt"},
            {"path": "A.txt"},
            {"owner": "Ann"},
            {"owner": "bob"},
            {"trashed_at": THEN},
        ],
    )
    def test_a_link_without_its_file_is_told(self, facts: dict[str, Any]) -> None:
        lost = record(**facts)
        assert bring_in(lost) == (
            {Outcome.MISSING: 1},
            [f"1: abcd…: {lost.owner} has no file {lost.path}."],
        )

    def test_a_file_in_the_trash_is_not_the_one_at_its_path(self, ann: Any) -> None:
        ann.directlinks_files.get(path="a.txt").trash()
        assert bring_in(record())[0] == {Outcome.MISSING: 1}

    @pytest.mark.parametrize(
        "clash",
        [
            record(path="b.txt"),
            record(name="other.txt"),
            record("former-code"),
            record("new-code", former_codes={"abcdefgh": None}),
            record("new-code", former_codes={"former-code": None}),
        ],
    )
    def test_a_code_of_another_link_is_refused(self, clash: LinkRecord) -> None:
        bring_in(record(former_codes={"former-code": None}))
        before = everything()
        code = clash.code[:4]
        refused = ({Outcome.REFUSED: 1}, [f"1: {code}…: A code of it belongs to another link."])
        assert bring_in(clash) == refused
        assert everything() == before

    def test_a_code_that_comes_twice_in_one_step_is_one_link(self) -> None:
        lines = (
            record(former_codes={"former-code": None}),
            record(),
            record(path="b.txt"),
            record("former-code"),
        )
        outcomes, faults = bring_in(*lines)
        assert outcomes == {Outcome.ADDED: 1, Outcome.KEPT: 1, Outcome.REFUSED: 2}
        assert [fault[0] for fault in faults] == ["3", "4"]

    def test_a_code_in_another_case_is_another_code(self) -> None:
        assert bring_in(record(), record("ABCDEFGH")) == ({Outcome.ADDED: 2}, [])

    def test_only_one_link_of_a_file_is_given_to_everybody(self) -> None:
        bring_in(record("code-1", reusable=True), record("code-2", reusable=True))
        bring_in(record("code-3", reusable=True), record("code-4", path="b.txt", reusable=True))
        reusable = DirectLink.objects.reusable().values_list("code", flat=True)
        assert set(reusable) == {"code-1", "code-4"}
        assert DirectLink.objects.count() == 4

    def test_a_limited_link_is_given_to_nobody(self) -> None:
        bring_in(record(reusable=True, max_downloads=1))
        assert not DirectLink.objects.reusable().exists()

    @pytest.mark.parametrize(
        ("facts", "fault"),
        [
            ({"label": "x" * 256}, "Ensure this value has at most 255 characters (it has 256)."),
            ({"max_downloads": 0}, "Ensure this value is greater than or equal to 1."),
            ({"referers": "not a host!"}, "Not a valid host name: not a host!"),
        ],
    )
    def test_what_a_link_cannot_have_is_refused(self, facts: dict[str, Any], fault: str) -> None:
        outcomes, (told,) = bring_in(record(**facts), record("other-code"))
        assert outcomes == {Outcome.REFUSED: 1, Outcome.ADDED: 1}
        assert told.startswith(f"1: abcd…: {next(iter(facts))}: {fault}")

    def test_a_line_that_holds_no_link_is_refused(self) -> None:
        assert bring_in(record(), ValueError("No JSON.")) == (
            {Outcome.ADDED: 1, Outcome.REFUSED: 1},
            ["2: No JSON."],
        )

    def test_new_links_are_announced(self, django_capture_on_commit_callbacks: Any) -> None:
        heard: list[list[DirectLink]] = []

        def hear(links: list[DirectLink], **_: Any) -> None:
            heard.append(links)

        signals.created.connect(hear)
        try:
            with django_capture_on_commit_callbacks(execute=True):
                bring_in(record())
                bring_in(record())
        finally:
            signals.created.disconnect(hear)
        assert heard == [[DirectLink.objects.get()]]

    def test_whoever_takes_a_code_meanwhile_is_met_in_the_next_round(self) -> None:
        """A link gets the same code after the last read, before the first write."""
        other = DirectLinkFactory(code="elsewhere")
        taken = False

        def take(run: Any, sql: str, *rest: Any) -> Any:
            nonlocal taken
            result = run(sql, *rest)
            if sql.startswith("SELECT") and "reuse_name" in sql and not taken:
                taken = True
                DirectLink.objects.filter(pk=other.pk).update(code="abcdefgh")
            return result

        with connection.execute_wrapper(take):
            outcomes, faults = bring_in(record(), record("other-code", path="b.txt"))
        assert outcomes == {Outcome.REFUSED: 1, Outcome.ADDED: 1}
        assert faults == ["1: abcd…: A code of it belongs to another link."]

    def test_what_goes_wrong_each_time_is_raised(self) -> None:
        def fail(run: Any, sql: str, *rest: Any) -> Any:
            if sql.startswith("INSERT"):
                raise IntegrityError
            return run(sql, *rest)

        with connection.execute_wrapper(fail), pytest.raises(IntegrityError):
            bring_in(record())


def test_five_hundred_links_do_not_take_a_statement_each(
    django_assert_max_num_queries: Any,
) -> None:
    ann = UserFactory(username="ann")
    for number in range(20):
        FileFactory(owner=ann, path=f"{number}.txt")
    records = [
        record(
            f"code-{number}",
            path=f"{number % 20}.txt",
            reusable=True,
            days={date(2026, 1, 1): number},
            former_codes={f"former-{number}": None},
        )
        for number in range(500)
    ]
    # SQLite takes 999 values in a statement, so 49 links; others take all at once.
    with django_assert_max_num_queries(30 if connection.vendor == "sqlite" else 16):
        assert bring_in(*records) == ({Outcome.ADDED: 500}, [])
    assert DailyDownloads.objects.count() == 500
    with django_assert_max_num_queries(6):
        assert bring_in(*(replace(one) for one in records)) == ({Outcome.KEPT: 500}, [])
