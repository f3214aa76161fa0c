"""Querysets of the models.

They read from the database to which rows are written, because what is read decides what is written
next, and a replica may lag. Lists, statistics and pages call ``may_lag()``.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import reduce
from itertools import chain, islice
from operator import or_
from typing import Any, Self, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import DatabaseError, IntegrityError, connections, models, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce
from django.db.models.options import Options

from directlinks.core import paths
from directlinks.core.links import CLOSINGS, Closing, Comparison, LinkState
from directlinks.users import active_where, activity_is_computed, inactive_keys

Row = TypeVar("Row", bound=models.Model)

# More conditions in one statement would be deeper than SQLite accepts.
_MOST_OWNERS = 200


def is_everything(queryset: "models.QuerySet[Any]") -> bool:
    """Return True if ``queryset`` is certainly the whole table, so that no condition is needed."""
    try:
        return str(queryset.query) == str(queryset.model._default_manager.all().query)
    except EmptyResultSet:
        return False


class PrimaryQuerySet(models.QuerySet[Any]):
    """Rows as they are in the database of the write, unless they ``may_lag()``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Django's own switch, which every clone inherits: ``db`` then asks for a write's database.
        self._for_write = True

    def may_lag(self) -> Self:
        """Return the same rows, read where the site's database router sends reads."""
        rows = self.all()
        rows._for_write = False
        return rows

    def atomic(self) -> transaction.Atomic:
        """Return ``transaction.atomic()`` for the database of these rows."""
        return transaction.atomic(using=self.db)


class PrimaryManager(models.Manager[Row]):
    """The manager of these querysets; its ``db`` is the alias of the database of the write."""

    @property
    def db(self) -> str:
        return self._db or router.db_for_write(self.model)


class FileQuerySet(PrimaryQuerySet):
    """Files."""

    def live(self) -> "FileQuerySet":
        """Filter files that are not in the trash."""
        return self.filter(deleted_at__isnull=True)

    def trashed(self) -> "FileQuerySet":
        return self.filter(deleted_at__isnull=False)

    def trash(self, now: datetime) -> int:
        """Move the live files to the trash, and return how many."""
        return self.live().update(deleted_at=now, path_key=None, site_path_key=None, updated_at=now)

    def at(self, places: Iterable[tuple[Any, str]]) -> "FileQuerySet":
        """Return live files at ``places``, each an owner's key and a path, in any spelling.

        The key of the site's own space is None, here as in the other methods.
        Of very many owners, it may find more: files of one at a path that was asked of another.
        """
        keys: dict[Any, list[str]] = {}
        for owner, path in places:
            keys.setdefault(owner, []).append(paths.key(path))
        if len(keys) <= _MOST_OWNERS:
            one_by_one = (Q(owner=owner, path_key__in=those) for owner, those in keys.items())
            return self.filter(reduce(or_, one_by_one, Q(pk__in=[])))
        owned = Q(owner__in=keys.keys() - {None}, path_key__in=set(chain(*keys.values())))
        return self.filter(owned | Q(owner=None, path_key__in=keys.get(None, [])))

    def below(self, owner: Any, path: str) -> "FileQuerySet":
        """Return live files in the folder ``path`` of ``owner``, in any spelling, and below it."""
        first, after = paths.bounds(path)
        files: FileQuerySet = self.live().alias(whole_path=Coalesce("path_nfc", "path"))
        return files.filter(
            owner=owner,
            # The head has an index.
            path_head__gte=paths.head(first),
            path_head__lte=paths.head(after),
            whole_path__gte=first,
            whole_path__lt=after,
        )

    def at_or_below(self, owner: Any, path: str) -> "FileQuerySet":
        """Return the files of ``owner`` at ``path``, in any spelling, and below it, or all if "".

        Those in the trash are found where they were.
        """
        files: FileQuerySet = self.filter(owner=owner)
        if not path:
            return files
        first, after = paths.bounds(path)
        # The head has an index.
        at = Q(path_head=paths.head(path), whole_path=paths.nfc(path))
        below = Q(whole_path__gte=first, whole_path__lt=after)
        files = files.alias(whole_path=Coalesce("path_nfc", "path"))
        return files.filter(at | below)

    def folders_among(self, pairs: Sequence[tuple[object, str]]) -> set[tuple[object, str]]:
        """Return those of ``pairs`` that are folders; each is an owner's key and a path."""
        connection = connections[self.db]
        places = positions_of_folders(connection, self.model._meta, pairs)
        return {pairs[place] for place in places}


_OPPOSITE: Mapping[Comparison, Comparison] = {"gt": "lte", "lte": "gt"}


def _closes(name: str, closing: Closing, now: datetime) -> Q:
    """Return when the limit in the column ``name`` closes a link, as ``Closing.holds``."""
    if closing.compares is None:
        return Q(**{name: True})
    return Q(**{f"{name}__{closing.compares}": _other(closing, now)})


def _keeps_open(name: str, closing: Closing, now: datetime) -> Q:
    """Return when it does not."""
    if closing.compares is None:
        return Q(**{name: False})
    is_within = Q(**{f"{name}__{_OPPOSITE[closing.compares]}": _other(closing, now)})
    return Q(**{f"{name}__isnull": True}) | is_within


def _other(closing: Closing, now: datetime) -> datetime | F:
    return now if closing.other is None else F(closing.other)


class DirectLinkQuerySet(PrimaryQuerySet):
    """Links."""

    def with_file(self) -> "DirectLinkQuerySet":
        """Select the file and its owner too, which decide a link's state."""
        return self.select_related("file__owner")

    def in_state(self, state: LinkState, now: datetime) -> "DirectLinkQuerySet":
        """Filter links that are in ``state`` at ``now``, as ``DirectLink.state`` decides."""
        before = Q()
        # Spelt out, because no index knows what a CASE comes to.
        for other, holds in self._states(now).items():
            if other is state:
                return self.filter(before, holds)
            before &= ~holds
        return self.filter(before)

    def with_state(self, now: datetime) -> "DirectLinkQuerySet":
        """Annotate ``state_place``, the index in LinkState of each link's state at ``now``.

        It is a number, because databases group by numbers much faster than by strings.
        """
        places = {state: Value(place) for place, state in enumerate(LinkState)}
        cases = [When(holds, then=places[state]) for state, holds in self._states(now).items()]
        default = places[LinkState.ACTIVE]
        place = Case(*cases, default=default, output_field=models.IntegerField())
        judged: DirectLinkQuerySet = self.annotate(state_place=place)
        return judged

    def below(self, owner: Any, path: str) -> "DirectLinkQuerySet":
        """Return links to the file at ``path`` of ``owner`` and to all below it, or to all if "".

        Those in the trash are found where they were.
        """
        links = self.filter(file__owner=owner)
        if not path:
            return links
        first, after = paths.bounds(path)
        below = Q(whole_path__gte=first, whole_path__lt=after)
        return links._with_whole_path().filter(self._at_path(path) | below)

    def at_path(self, path: str) -> "DirectLinkQuerySet":
        """Return links to the files at ``path`` in any spelling, those in the trash too."""
        return self._with_whole_path().filter(self._at_path(path))

    @staticmethod
    def _at_path(path: str) -> Q:
        # The head has an index.
        return Q(file__path_head=paths.head(path), whole_path=paths.nfc(path))

    def _with_whole_path(self) -> "DirectLinkQuerySet":
        """Return the same links, with the paths of their files under NFC to filter by."""
        links: DirectLinkQuerySet = self.alias(whole_path=Coalesce("file__path_nfc", "file__path"))
        return links

    def reusable(self) -> "DirectLinkQuerySet":
        """Filter links that a second request for the same file gets again."""
        return self.filter(reuse_name__isnull=False)

    def opening(self, now: datetime) -> "DirectLinkQuerySet":
        """Filter links that open at ``now``, as far as SQL can tell if owners are active."""
        files: Any = self.model._meta.get_field("file").related_model
        users = files._meta.get_field("owner").related_model
        active = active_where(users, "owner")
        return self.filter(
            Exists(files.objects.live().filter(active, pk=OuterRef("file_id"))),
            *(_keeps_open(name, closing, now) for name, closing in CLOSINGS),
            revoked_at__isnull=True,
        )

    def _states(self, now: datetime) -> dict[LinkState, Q]:
        """Return when each state but the last holds, in the order of ``state_of``."""
        files: Any = self.model._meta.get_field("file").related_model
        users = files._meta.get_field("owner").related_model
        if activity_is_computed(users):
            of_inactive = files.objects.filter(owner__in=inactive_keys(users, "directlinks_files"))
        else:
            active = active_where(users, "owner")
            of_inactive = files.objects.exclude(active) if active else files.objects.none()
        states = {
            LinkState.REVOKED: Q(revoked_at__isnull=False),
            # The few that are dead are looked up once, instead of the file of every link.
            LinkState.TRASHED: Q(file__in=files.objects.trashed()),
            LinkState.OWNER_INACTIVE: Q(file__in=of_inactive),
        }
        for name, closing in CLOSINGS:
            # Several limits may lead to one state.
            states[closing.state] = states.get(closing.state, Q()) | _closes(name, closing, now)
        return states

    def count_download(self, now: datetime) -> int:
        """Count one download of each link that opens, in one statement, and return how many."""
        return self.opening(now).update(downloads=F("downloads") + 1, last_opened_at=now)

    def lock(self) -> None:
        """Lock these until the transaction ends, in the order of their keys.

        Deferred counters lock links in that order, too: deadlocks could occur with another one.
        SQLite has one lock for all.
        """
        if connections[self.db].features.has_select_for_update:
            keys = self.order_by().values("pk")
            rows = self.model._base_manager.using(self.db).filter(pk__in=keys).order_by("pk")
            list(rows.select_for_update().values_list("pk", flat=True))

    def revoke(self, now: datetime) -> int:
        """Revoke those that are not revoked yet, and return how many."""
        # In the order in which links are made, so that MariaDB has less to deadlock about.
        standing = self.filter(revoked_at__isnull=True).order_by("file_id")
        return standing.update(revoked_at=now, reuse_name=None)


class IdempotentRequestQuerySet(PrimaryQuerySet):
    """Idempotent requests."""

    def outdated(self, now: datetime) -> "IdempotentRequestQuerySet":
        """Filter requests whose keys are free again."""
        return self.filter(created_at__lte=now - timedelta(hours=24))


class FlushedBatchQuerySet(PrimaryQuerySet):
    """Flushed batches of counts."""

    def last_met_before(self, moment: datetime) -> "FlushedBatchQuerySet":
        """Filter batches that no process has met since ``moment``."""
        return self.filter(flushed_at__lt=moment)


# PostgreSQL's IS NOT DISTINCT FROM does not use an index.
_SAME_OR_BOTH_NULL = {
    "sqlite": "file.owner_id IS requested.owner_key",
    "mysql": "file.owner_id <=> requested.owner_key",
    "postgresql": "({0} OR (file.owner_id IS NULL AND requested.owner_key IS NULL))",
}


def positions_of_folders(
    connection: BaseDatabaseWrapper,
    meta: "Options[Any]",
    pairs: Sequence[tuple[object, str]],
) -> set[int]:
    """Return the positions in ``pairs`` of folders that have a live file.

    Each of ``pairs`` is an owner's key and a path. One statement for any number: a list of
    thousands of ORed ranges exceeds the depth of expression that SQLite accepts, and the ORM cannot
    write a table of values. Each row of the table is looked up in the index (owner, path_head),
    which narrows a path as far as an index can hold it; the whole path under NFC decides, which is
    ``path`` itself unless ``path_nfc`` holds another. Paths are in binary collation everywhere, so
    the range of a prefix is contiguous.
    """
    same_owner = "file.owner_id = requested.owner_key"
    if any(owner_key is None for owner_key, _ in pairs):
        same_owner = _SAME_OR_BOTH_NULL[connection.vendor].format(same_owner)
    owner: Any = meta.get_field("owner")
    rows: list[Any] = []
    for position, (owner_key, path) in enumerate(pairs):
        first, after = paths.bounds(path)
        head = slice(paths.HEAD_CHARACTERS)
        rows += [position, owner.get_db_prep_value(owner_key, connection)]
        rows += [first[head], after[head], first, after]
    table = connection.ops.quote_name(meta.db_table)
    # MySQL spells a row of a table of values in its own way.
    row = "(%s, %s, %s, %s, %s, %s)"
    if connection.vendor == "postgresql":
        # A column of NULLs alone would be text.
        row = f"(%s, %s::{owner.db_type(connection)}, %s, %s, %s, %s)"
    elif connection.vendor == "mysql" and not getattr(connection, "mysql_is_mariadb", False):
        row = "ROW" + row
    statement = f"""
        WITH requested (place, owner_key, head_first, head_after, path_first, path_after)
        AS (VALUES {", ".join([row] * len(pairs))})
        SELECT requested.place FROM requested WHERE EXISTS (
            SELECT 1 FROM {table} file
            WHERE {same_owner}
              AND file.path_head >= requested.head_first AND file.path_head <= requested.head_after
              AND COALESCE(file.path_nfc, file.path) >= requested.path_first
              AND COALESCE(file.path_nfc, file.path) < requested.path_after
              AND file.deleted_at IS NULL
        )"""  # noqa: S608  # all that is put in is a name of ours and placeholders
    with connection.cursor() as cursor:
        cursor.execute(statement, rows)
        return {place for (place,) in cursor.fetchall()}


Item = TypeVar("Item")

STEP = 500
_TRIES = 3


def retry_on_conflict(
    attempt: Callable[[], Item],
    errors: type[DatabaseError] | tuple[type[DatabaseError], ...] = IntegrityError,
) -> Item:
    """Return what ``attempt`` returns, which is made up to three times.

    It is made again if it raises one of ``errors``, which mean that another request has just
    written what it was about to write. The last try raises what it raises. ``attempt`` opens its
    own transaction, so nothing is left of one that failed.
    """
    kinds = errors if isinstance(errors, tuple) else (errors,)
    for _ in range(_TRIES - 1):
        with suppress(*kinds):
            return attempt()
    return attempt()


def in_batches(queryset: "QuerySet[Row, Row]", most: int | None = None) -> Iterator[list[Row]]:
    """Yield the rows of ``queryset`` by primary key, in lists of up to ``most``, else STEP.

    One statement each, which begins after the last row of the one before: no database has to keep a
    long result in memory or open, no lock outlives a batch, and the rows of a batch may be changed
    or deleted before the next one.
    """
    most = most or STEP
    last: Any = None
    ordered = queryset.order_by("pk")
    while True:
        step = list((ordered if last is None else ordered.filter(pk__gt=last))[:most])
        if not step:
            return
        last = step[-1].pk
        yield step
        if len(step) < most:
            return


def batched(items: Iterable[Item], most: int | None = None) -> Iterator[list[Item]]:
    """Yield ``items`` in their order, in lists of up to ``most``, else STEP."""
    rest = iter(items)
    while step := list(islice(rest, most or STEP)):
        yield step
