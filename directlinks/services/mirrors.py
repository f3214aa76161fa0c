"""Mirrors: the rows of File that stand for files in a site's own models.

There is one for each object with a file in a registered field. The label of the field is its
``storage_alias``, and the key of the object its ``source_key``. A visit asks our tables alone.
Nothing here writes, moves or deletes the contents of a site.
"""

import logging
import posixpath
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldError, ValidationError
from django.db import DatabaseError, IntegrityError, OperationalError, connections, transaction
from django.db.models import Model, QuerySet
from django.utils import timezone

from directlinks.conf import conf
from directlinks.core import content_types, paths
from directlinks.models import File
from directlinks.models.contents import beginning, validate_path
from directlinks.querysets import FileQuerySet, retry_on_conflict
from directlinks.registry import REVOKE, Condition, Registration

logger = logging.getLogger("directlinks")

# What a mirror may get from its object, and what follows from it.
_MIRRORED = (
    "owner",
    "path",
    "path_key",
    "site_path_key",
    "path_head",
    "path_nfc",
    "content",
    "storage_alias",
    "size",
    "content_type",
    "version",
    "content_updated_at",
    "deleted_at",
    "updated_at",
)


def mirrors_of(registration: Registration, keys: Iterable[str]) -> FileQuerySet:
    """Return the mirrors of the objects with ``keys``, those in the trash too."""
    mirrors: FileQuerySet = File.objects.filter(
        storage_alias=registration.label, source_key__in=keys
    )
    return mirrors


def objects_of(registration: Registration) -> Any:
    """Return the objects of the model as they are in the database that is written to.

    No manager of the site hides any. What the path to their owner leads through is joined.
    """
    objects: QuerySet[Any] = QuerySet(registration.model, using=registration.database)
    relations = _relations(registration)
    # Without a name it would follow every relation that is not null.
    return objects.select_related("__".join(relations)) if relations else objects


def openable_keys(registration: Registration, instances: Iterable[Model]) -> set[str]:
    """Return the keys of those ``instances`` that have a file, and whose links may open now.

    One read if ``when`` is a condition: the rows decide. A function that raises counts as False,
    and so does a condition that the model does not have.
    """
    keys = {registration.key_of(one): one for one in instances if registration.file_of(one)}
    when = registration.when
    if when is None or not keys:
        return set(keys)
    if isinstance(when, Condition):
        return _fulfilling(registration, when, keys)
    return {key for key, instance in keys.items() if _says_yes(registration, when, key, instance)}


def _fulfilling(registration: Registration, when: Condition, keys: Iterable[str]) -> set[str]:
    """Return those of ``keys`` whose rows fulfil the condition."""
    rows: QuerySet[Any] = QuerySet(registration.model, using=registration.database)
    try:
        found = list(rows.filter(when, pk__in=keys).values_list("pk", flat=True))
    except (FieldError, TypeError, ValueError, ValidationError):
        logger.exception("Links to %s do not open: `when` cannot be asked.", registration.label)
        return set()
    return {registration.key_as_text(key) for key in found}


def _ask_again(registration: Registration, openable: Iterable[str]) -> None:
    """After the commit, close links to ``openable`` that may not open any more. In a transaction.

    Another transaction may have changed what the condition reads, without seeing this one.
    """
    when, keys = registration.when, list(openable)
    if not keys or not isinstance(when, Condition):
        return

    def ask_again() -> None:
        if closed := set(keys) - _fulfilling(registration, when, keys):
            refresh(registration, sorted(closed))

    transaction.on_commit(ask_again, using=File.objects.db, robust=True)


def _says_yes(
    registration: Registration, when: Callable[[Any], bool], key: str, instance: Model
) -> bool:
    try:
        return bool(when(instance))
    except Exception:
        logger.exception(
            "Links to %s %s do not open: `when` of its registration failed.",
            registration.label,
            key,
        )
        return False


def withdraw(registration: Registration, keys: Sequence[str]) -> None:
    """Stop the links of objects that are gone, or delete them. In a transaction."""
    mirrors = mirrors_of(registration, keys)
    if registration.on_delete is REVOKE:
        mirrors.trash(timezone.now())
    else:
        # A link that is being made would be left without its file.
        deleted = [mirror.pk for mirror in _locked(mirrors)]
        File.objects.filter(pk__in=deleted).delete()


def update(
    registration: Registration,
    instance: Model,
    *,
    is_new: bool,
    has_new_content: bool,
    described: "Described | None" = None,
) -> None:
    """Update the mirror of ``instance``, whose row is as it is here. In a transaction.

    Two statements at most, and one more if ``when`` is a condition, unless another file has the
    path. Of ``is_new`` objects it does not lock what is rarely there: two who lock a gap cannot
    both fill it.
    """
    key = registration.key_of(instance)
    mirrors = mirrors_of(registration, [key])
    mirror = next(iter(mirrors if is_new else _locked(mirrors)), None)
    openable = openable_keys(registration, [instance])
    _ask_again(registration, openable)
    mirror, fields = changed_mirror(
        registration,
        instance,
        mirror,
        is_open=key in openable,
        has_new_content=has_new_content,
        described=described,
    )
    if mirror is not None:
        _save(mirror, fields)


class Refreshed(NamedTuple):
    """Mirrors whose links may open, and what is wrong with others, both by the object's key."""

    live: dict[str, File]
    faults: dict[str, Exception]


def refresh(
    registration: Registration,
    keys: Sequence[str],
    *,
    described: "Described | None" = None,
    new_contents: frozenset[str] = frozenset(),
) -> Refreshed:
    """Update the mirrors of the objects with ``keys`` from their rows.

    ``described`` is what is known of contents; ``new_contents`` are keys of objects whose contents
    changed under their names. Two reads and two writes, as far as the database takes that many
    parameters; more if a path is taken.
    """

    def attempt() -> Refreshed:
        with File.objects.atomic():
            return _refresh(registration, keys, described or {}, new_contents)

    return retry_on_conflict(attempt, conflicts())


def conflicts() -> tuple[type[DatabaseError], ...]:
    """Return the errors after which a transaction of ours may be made once more.

    In the site's own transaction, only the site can begin again after a deadlock or a lock that was
    not given.
    """
    if connections[File.objects.db].in_atomic_block:
        return (IntegrityError,)
    return (IntegrityError, OperationalError)


def _refresh(
    registration: Registration,
    keys: Sequence[str],
    described: "Described",
    new_contents: frozenset[str],
) -> Refreshed:
    # Objects first, as the site does when it saves one.
    objects = {
        registration.key_of(one): one
        for one in _locked(objects_of(registration).filter(pk__in=keys))
    }
    mirrors = {str(one.source_key): one for one in _locked(mirrors_of(registration, keys))}
    openable = openable_keys(registration, objects.values())
    _ask_again(registration, openable)
    faults: dict[str, Exception] = {}
    new: list[File] = []
    changed: list[tuple[File, set[str]]] = []
    for key, instance in objects.items():
        try:
            mirror, fields = changed_mirror(
                registration,
                instance,
                mirrors.get(key),
                is_open=key in openable,
                has_new_content=key in new_contents,
                described=described,
            )
        except Exception as error:  # noqa: BLE001  # of a site's function
            faults[key] = error
            continue
        if mirror is not None and mirror._state.adding:
            mirrors[key] = mirror
            new.append(mirror)
        elif mirror is not None and fields:
            changed.append((mirror, fields))
    faults |= _write(new, changed)
    if gone := [key for key in mirrors if key not in objects]:
        withdraw(registration, gone)
    live = {
        key: mirror
        for key, mirror in mirrors.items()
        if key in objects and key not in faults and mirror.is_live
    }
    return Refreshed(live, faults)


def _locked(rows: Any) -> Any:
    """Return ``rows`` locked in the order of their keys, if their database can lock rows.

    Others may refer to them meanwhile. Rows that are joined stay free.
    """
    connection = connections[rows.db]
    if not connection.in_atomic_block:  # objects in another database than ours
        return rows
    features = connection.features
    return rows.order_by("pk").select_for_update(
        of=("self",) if features.has_select_for_update_of else (),
        no_key=features.has_select_for_no_key_update,
    )


def changed_mirror(
    registration: Registration,
    instance: Model,
    mirror: File | None,
    *,
    is_open: bool,
    has_new_content: bool = False,
    described: "Described | None" = None,
) -> tuple[File | None, set[str]]:
    """Return the mirror of ``instance``, not saved, and which fields of ``mirror`` are different.

    It is a new one if there was none, and None if there was none and no link may open, by
    ``is_open``.
    """
    if mirror is None:
        if not is_open:
            return None, set()
        mirror = File(source_key=registration.key_of(instance))
        mirror.owner_id = _owner_key(registration, instance)
        mirror.path = _path(registration, instance)
        _take_content(mirror, registration, instance, described)
        return mirror, set()
    if not is_open:
        # No other function of the site is asked: what must stop is not to depend on them.
        if not mirror.is_live:
            return mirror, set()
        mirror.deleted_at = timezone.now()
        return mirror, {"deleted_at"}
    fields: set[str] = set()
    owner_key = _owner_key(registration, instance)
    if mirror.owner_id != owner_key or _is_unclaimed(mirror):
        mirror.owner_id = owner_key
        fields.add("owner")
    # A path that we gave stays, as the name in an address does.
    if registration.path is not None:
        path = _path(registration, instance)
        if mirror.path != path and not _is_numbered(mirror.path, path):
            mirror.path = path
            fields.add("path")
    if has_new_content or str(mirror.content) != registration.file_of(instance).name:
        _take_content(mirror, registration, instance, described)
        fields.add("content")
    if not mirror.is_live:
        mirror.deleted_at = None
        fields.add("deleted_at")
    return mirror, fields


def _is_unclaimed(mirror: File) -> bool:
    """Return True if ``mirror`` lost its owner with the owner's account, but has no path yet."""
    return mirror.owner_id is None and mirror.is_live and mirror.site_path_key is None


def stale_reason(
    registration: Registration, instance: Model, mirror: File, *, is_open: bool
) -> str | None:
    """Return what is different between ``instance`` and its ``mirror``, or None."""
    if registration.file_of(instance).name not in ("", None, str(mirror.content)):
        return "has another file"
    if is_open != mirror.is_live:
        return "may not be linked now" if mirror.is_live else "may be linked again"
    if mirror.is_live and (
        _owner_key(registration, instance) != mirror.owner_id or _is_unclaimed(mirror)
    ):
        return "has another owner"
    return None


class Description(NamedTuple):
    """What is known of a content. ``size`` is 0 if its storage did not tell."""

    size: int
    version: str
    updated_at: datetime
    content_type: str


# By the key of an object and the name of its file.
Described = Mapping[tuple[str, str], Description]


def describe(registration: Registration, instance: Model) -> Description:
    """Return what the storage tells of the file of ``instance``.

    A remote storage is asked for the size. What it does not tell is logged and left out: the site
    has saved its object.
    """
    try:
        return _describe(registration, instance)
    except ValidationError as error:
        return _unknown(registration, instance, "; ".join(error.messages))


def describe_new(registration: Registration, instance: Model) -> Described:
    """Return what the storage tells of a new file of ``instance``, nothing if it has none."""
    if not (file := registration.file_of(instance)):
        return {}
    place = registration.key_of(instance), str(file.name)
    try:
        return {place: _describe(registration, instance)}
    except ValidationError:
        # A file that must not be linked may be kept elsewhere. Of another it is logged later.
        return {}


def _describe(registration: Registration, instance: Model) -> Description:
    """Do as ``describe``, but raise ValidationError if the storage lacks the file."""
    mirror = File(source_key=registration.key_of(instance))
    mirror.content = str(registration.file_of(instance).name)
    mirror.storage_alias = registration.label
    content_type = _content_type(registration, instance)
    try:
        mirror.describe_content()
        if content_types.is_text_without_charset(content_type):
            sample = beginning(mirror.content, content_types.SAMPLE_BYTES)
            if sample is not None:
                content_type = content_types.with_charset(content_type, sample)
    except ValidationError:
        raise
    except Exception as error:  # noqa: BLE001  # of any storage
        return _unknown(registration, instance, error)
    return Description(mirror.size, mirror.version, mirror.content_updated_at, content_type)


def _unknown(registration: Registration, instance: Model, fault: object) -> Description:
    """Log why the storage does not tell of a file, and return what is known without it."""
    key = registration.key_of(instance)
    logger.warning("The size of %s %s is not known: %s", registration.label, key, fault)
    content_type = _content_type(registration, instance)
    return Description(0, secrets.token_hex(16), timezone.now(), content_type)


def _content_type(registration: Registration, instance: Model) -> str:
    name = posixpath.basename(str(registration.file_of(instance).name))
    return content_types.guess(name, conf.CONTENT_TYPES)


def _take_content(
    mirror: File,
    registration: Registration,
    instance: Model,
    described: Described | None,
) -> None:
    """Let ``mirror`` name the file of ``instance``."""
    name = str(registration.file_of(instance).name)
    known = (described or {}).get((str(mirror.source_key), name))
    description = known or describe(registration, instance)
    mirror.content = name
    mirror.content_is_new = False  # it is described
    mirror.storage_alias = registration.label
    mirror.size = description.size
    mirror.version = description.version
    mirror.content_updated_at = description.updated_at
    mirror.content_type = description.content_type


def _owner_key(registration: Registration, instance: Model) -> Any:
    """Return the key of the owner. Raise TypeError if what is registered leads to no user."""
    if registration.owner is None:
        return None
    if callable(registration.owner):
        user = registration.owner(instance)
    else:
        user = instance
        if not _is_loaded(instance, _relations(registration)):
            # Django would ask the database that reads are routed to, once for each relation.
            user = objects_of(registration).get(pk=registration.key_of(instance))
        for attribute in registration.owner.split("."):
            if user is None:
                break
            user = getattr(user, attribute)
    if user is not None and not isinstance(user, get_user_model()):
        raise TypeError(f"The owner of {registration.label} is not a user: {user!r}")
    return None if user is None else user.pk


def _relations(registration: Registration) -> list[str]:
    """Return the relations that the path to the owner begins with."""
    if not isinstance(registration.owner, str):
        return []
    relations: list[str] = []
    model: Any = registration.model
    for name in registration.owner.split("."):
        field = next((one for one in model._meta.fields if one.name == name), None)
        if field is None or not field.is_relation:
            break
        relations.append(name)
        model = field.related_model
    return relations


def _is_loaded(instance: Any, relations: Iterable[str]) -> bool:
    """Return True if no statement is needed to follow ``relations`` from ``instance``."""
    for name in relations:
        field = instance._meta.get_field(name)
        if getattr(instance, field.attname) is None:
            break
        if not field.is_cached(instance):
            return False
        instance = getattr(instance, name)
    return True


def _path(registration: Registration, instance: Model) -> str:
    """Return the path of a mirror: ``<app>/<model>/<key>/<name>``, unless one is registered.

    Raise TypeError or ValidationError if the site's function returns none.
    """
    if registration.path is not None:
        path = registration.path(instance)
        if not isinstance(path, str):
            raise TypeError(f"The path of {registration.label} is not a string: {path!r}")
        validate_path(path)
        return path
    key = registration.key_of(instance)
    name = posixpath.basename(str(registration.file_of(instance).name))
    parts = [
        *registration.model_label.split("."),
        key if _is_name(key) else paths.key(key)[:22],
        name if _is_name(name) else "file",
    ]
    return "/".join(parts)


def _is_name(text: str) -> bool:
    return "/" not in text and paths.fault(text) is None


def _numbered(path: str, number: int | str) -> str:
    stem, extension = posixpath.splitext(path)
    return f"{stem} ({number}){extension}"


def _is_numbered(path: str, wanted: str) -> bool:
    """Return True if ``path`` is what a mirror got because another file had the ``wanted`` one."""
    stem, extension = posixpath.splitext(wanted)
    number = path.removeprefix(f"{stem} (").removesuffix(f"){extension}")
    return number.isdecimal() and path == _numbered(wanted, number)


def _write(new: Sequence[File], changed: Sequence[tuple[File, set[str]]]) -> dict[str, Exception]:
    """Write mirrors by two statements, or, if a path is taken, one by one.

    Return what is wrong with those that cannot be written, by the keys of their objects.
    """
    now = timezone.now()
    for mirror in (*new, *(mirror for mirror, _ in changed)):
        mirror.derive_from_path()
        mirror.updated_at = now
    # Without the keys of new rows, they could have no links.
    if connections[File.objects.db].features.can_return_rows_from_bulk_insert:
        with suppress(IntegrityError):
            _write_at_once(new, [mirror for mirror, _ in changed])
            return {}
    faults: dict[str, Exception] = {}
    nothing: set[str] = set()
    for mirror, fields in (*((mirror, nothing) for mirror in new), *changed):
        try:
            _save(mirror, fields)
        except ValidationError as error:
            faults[str(mirror.source_key)] = error
    return faults


def _write_at_once(new: Sequence[File], changed: Sequence[File]) -> None:
    """Write mirrors by two statements. Raise IntegrityError if a path is taken."""
    try:
        with File.objects.atomic():
            File.objects.bulk_create(new)
            File.objects.bulk_update(changed, _MIRRORED)
    except IntegrityError:
        for mirror in new:
            forgotten: Any = mirror
            forgotten.pk = None  # that of a row which is not there
            mirror._state.adding = True
        raise


# Numbers that are tried at a path that is taken, before one is drawn.
_FIRST_NUMBERS = range(2, 102)
_TRIES = 3


def _save(mirror: File, fields: set[str]) -> None:
    """Save ``fields`` of ``mirror``, or all of a new one, at a free path if its own is taken.

    Raise ValidationError for a path that is too long with its number.
    """
    if not (fields or mirror._state.adding):
        return
    wanted = mirror.path
    for _ in range(_TRIES):
        try:
            mirror.save(update_fields=fields or None)
        except ValidationError as error:
            if not any(one.code == "path_taken" for one in error.error_dict.get("path", [])):
                raise
            mirror.path = _free_path(mirror.owner_id, wanted)
            fields = fields and fields | {"path"}
        else:
            return
    raise IntegrityError(f"Another process takes each path like {wanted}.")


def _free_path(owner_key: Any, wanted: str) -> str:
    """Return the first path with a number that is free. One read."""
    paths_of_numbers = [_numbered(wanted, number) for number in _FIRST_NUMBERS]
    for path in paths_of_numbers:
        validate_path(path)
    taken = {file.path for file in File.objects.at((owner_key, one) for one in paths_of_numbers)}
    drawn = _numbered(wanted, secrets.randbelow(10**9))
    return next((path for path in paths_of_numbers if path not in taken), drawn)
