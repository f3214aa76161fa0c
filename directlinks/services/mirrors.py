"""Mirrors: the rows of File that stand for files in a site's own models.

There is one for each object with a file in a registered field. The label of the field is its
``storage_alias``, and the key of the object its ``source_key``. A visit asks our tables alone.
Nothing here writes, moves or deletes the contents of a site.
"""

import logging
import posixpath
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import count
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connections, router
from django.db.models import Model
from django.utils import timezone

from directlinks.conf import conf
from directlinks.core import content_types, paths
from directlinks.models import File
from directlinks.models.contents import beginning, validate_path
from directlinks.querysets import FileQuerySet, retry_on_conflict
from directlinks.registry import REVOKE, Registration

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

    What the path to their owner leads through is joined.
    """
    model = registration.model
    objects = model._base_manager.using(router.db_for_write(model))
    relations = _relations(registration)
    # Without a name it would follow every relation that is not null.
    return objects.select_related(*relations) if relations else objects.all()


def may_open(registration: Registration, instance: Model) -> bool:
    """Return True if ``instance`` has a file, and links to it may open now."""
    if not registration.file_of(instance):
        return False
    return registration.when is None or bool(registration.when(instance))


def withdraw(registration: Registration, keys: Sequence[str]) -> None:
    """Stop the links of objects that are gone."""
    mirrors = mirrors_of(registration, keys)
    if registration.on_delete is REVOKE:
        mirrors.trash(timezone.now())
    else:
        mirrors.delete()


def update(registration: Registration, instance: Model, *, has_new_content: bool) -> None:
    """Let the mirror of ``instance`` say what the object says. In a transaction.

    Two statements at most, unless another file has the path.
    """
    key = registration.key_of(instance)
    mirror = mirrors_of(registration, [key]).select_for_update().first()
    mirror, fields = changed_mirror(registration, instance, mirror, has_new_content=has_new_content)
    if mirror is not None:
        _save(mirror, fields)


def refresh(
    registration: Registration,
    keys: Sequence[str],
    *,
    described: "Mapping[tuple[str, str], Description] | None" = None,
    new_contents: frozenset[str] = frozenset(),
) -> dict[str, File]:
    """Let the mirrors of the objects with ``keys`` say what the database says of these.

    Return the mirrors whose links may open, by key. ``described`` is what is known of contents, by
    key and name; ``new_contents`` are keys of objects whose contents changed under their names.
    Four statements, as far as the database takes that many parameters.
    """

    def attempt() -> dict[str, File]:
        with File.objects.atomic():
            # First the lock, then the read: a save of an object meanwhile comes after this.
            mirrors = {
                str(mirror.source_key): mirror
                for mirror in mirrors_of(registration, keys).select_for_update()
            }
            objects = {
                registration.key_of(one): one
                for one in objects_of(registration).filter(pk__in=keys)
            }
            new: list[File] = []
            changed: list[tuple[File, set[str]]] = []
            for key, instance in objects.items():
                mirror, fields = changed_mirror(
                    registration,
                    instance,
                    mirrors.get(key),
                    has_new_content=key in new_contents,
                    described=described,
                )
                if mirror is None:
                    continue
                mirrors[key] = mirror
                if mirror._state.adding:
                    new.append(mirror)
                elif fields:
                    changed.append((mirror, fields))
            _write(new, changed)
            if gone := [key for key in mirrors if key not in objects]:
                withdraw(registration, gone)
            return {
                key: mirror for key, mirror in mirrors.items() if key in objects and mirror.is_live
            }

    return retry_on_conflict(attempt)


def changed_mirror(
    registration: Registration,
    instance: Model,
    mirror: File | None,
    *,
    has_new_content: bool = False,
    described: "Mapping[tuple[str, str], Description] | None" = None,
) -> tuple[File | None, set[str]]:
    """Return the mirror of ``instance``, not saved, and which fields of ``mirror`` are different.

    It is a new one if there was none, and None if there was none and no link may open.
    """
    is_open = may_open(registration, instance)
    if mirror is None:
        if not is_open:
            return None, set()
        mirror = File(source_key=registration.key_of(instance))
        mirror.owner_id = _owner_key(registration, instance)
        mirror.path = _path(registration, instance)
        _take_content(mirror, registration, instance, described)
        return mirror, set()
    fields: set[str] = set()
    owner_key = _owner_key(registration, instance)
    # A path of the site's own that was left by its owner, whose account was deleted.
    is_unclaimed = owner_key is None and mirror.is_live and mirror.site_path_key is None
    if mirror.owner_id != owner_key or is_unclaimed:
        mirror.owner_id = owner_key
        fields.add("owner")
    # A path that we gave stays, as the name in an address does.
    if registration.path is not None:
        path = _path(registration, instance)
        if mirror.path != path and not _is_numbered(mirror.path, path):
            mirror.path = path
            fields.add("path")
    name = registration.file_of(instance).name
    if name and (has_new_content or str(mirror.content) != name):
        _take_content(mirror, registration, instance, described)
        fields.add("content")
    if mirror.is_live != is_open:
        mirror.deleted_at = None if is_open else timezone.now()
        fields.add("deleted_at")
    return mirror, fields


def stale_reason(registration: Registration, instance: Model, mirror: File) -> str | None:
    """Return what is different between ``instance`` and its ``mirror``, or None."""
    if registration.file_of(instance).name not in ("", None, str(mirror.content)):
        return "has another file"
    if may_open(registration, instance) != mirror.is_live:
        return "may not be linked now" if mirror.is_live else "may be linked again"
    if _owner_key(registration, instance) != mirror.owner_id:
        return "has another owner"
    return None


class Description(NamedTuple):
    """What is known of a content. ``size`` is 0 if its storage did not tell."""

    size: int
    version: str
    updated_at: datetime
    content_type: str


def describe(registration: Registration, instance: Model) -> Description:
    """Return what the storage tells of the file of ``instance``.

    A remote storage is asked for the size. What it does not tell is logged and left out: the site
    has saved its object.
    """
    mirror = File(source_key=registration.key_of(instance))
    name = str(registration.file_of(instance).name)
    mirror.content = name
    mirror.storage_alias = registration.label
    content_type = content_types.guess(posixpath.basename(name), conf.CONTENT_TYPES)
    try:
        mirror.describe_content()
        if content_types.is_text_without_charset(content_type):
            sample = beginning(mirror.content, content_types.SAMPLE_BYTES)
            if sample is not None:
                content_type = content_types.with_charset(content_type, sample)
    except Exception as error:  # noqa: BLE001  # of any storage
        logger.warning(
            "The size of %s %s is not known: %s",
            registration.label,
            mirror.source_key,
            "; ".join(error.messages) if isinstance(error, ValidationError) else error,
        )
        return Description(0, secrets.token_hex(16), timezone.now(), content_type)
    return Description(mirror.size, mirror.version, mirror.content_updated_at, content_type)


def _take_content(
    mirror: File,
    registration: Registration,
    instance: Model,
    described: Mapping[tuple[str, str], Description] | None,
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
        for attribute in registration.owner.split("."):
            if user is None:
                break
            user = getattr(user, attribute)
    if user is not None and not isinstance(user, get_user_model()):
        raise TypeError(f"The owner of {registration.label} is not a user: {user!r}")
    return None if user is None else user.pk


def _relations(registration: Registration) -> list[str]:
    """Return the relations on the path to the owner, so that no object costs a statement."""
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
    return ["__".join(relations)] if relations else []


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
    pattern = re.escape(_numbered(wanted, "\0")).replace("\0", "[0-9]+")
    return re.fullmatch(pattern, path) is not None


def _write(new: Sequence[File], changed: Sequence[tuple[File, set[str]]]) -> None:
    """Write mirrors by two statements, or, if a path is taken, one by one."""
    now = timezone.now()
    for mirror in (*new, *(mirror for mirror, _ in changed)):
        mirror.derive_from_path()
        mirror.updated_at = now
    # Without the keys of new rows, they could have no links.
    if connections[File.objects.db].features.can_return_rows_from_bulk_insert:
        with suppress(IntegrityError):
            _write_at_once(new, [mirror for mirror, _ in changed])
            return
    for mirror in new:
        _save(mirror)
    for mirror, fields in changed:
        _save(mirror, fields)


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


# Up to this number of files may want the same path.
_MOST_OF_A_PATH = 1000


def _save(mirror: File, fields: set[str] | None = None) -> None:
    """Save ``fields`` of ``mirror``, or all of a new one, at a free path if its own is taken."""
    if not (fields or mirror._state.adding):
        return
    wanted = mirror.path
    for number in count(2):  # pragma: no branch
        try:
            mirror.save(update_fields=fields or None)
        except ValidationError as error:
            is_taken = any(one.code == "path_taken" for one in error.error_dict.get("path", []))
            if not is_taken or number > _MOST_OF_A_PATH:
                raise
            mirror.path = _numbered(wanted, number)
            fields = fields and fields | {"path"}
        else:
            return
