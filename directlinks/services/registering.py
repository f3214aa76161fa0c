"""Links for files in a site's own models: registering a field, following it, making its links.

For each object with a file in a registered field, one row of File stands: its mirror. The label of
the field is the mirror's ``storage_alias``, and the key of the object its ``source_key``. A visit
asks our tables alone. Nothing here writes, moves or deletes the bytes of a site.

Saving and deleting an object changes its mirror in the same transaction. What passes by Django's
signals is found by ``sync``, and for one file by ``link_for``.
"""

import logging
import posixpath
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any, NamedTuple

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.exceptions import AppRegistryNotReady, ImproperlyConfigured, ValidationError
from django.db import IntegrityError, router, transaction
from django.db.models import F, FilteredRelation, Model, Q
from django.db.models.fields.files import FieldFile
from django.db.models.signals import post_delete, post_init, post_save, pre_save
from django.utils import timezone

from directlinks import registry
from directlinks.conf import conf
from directlinks.core import content_types, paths
from directlinks.models import DirectLink, File
from directlinks.models.contents import beginning
from directlinks.querysets import in_batches, retry_on_conflict
from directlinks.registry import REVOKE, OnDelete, Registration
from directlinks.services.creating import create_dedicated_links, create_reusable_links
from directlinks.services.limits import is_reusable, limits_of_new
from directlinks.sql.batches import FoundLink
from directlinks.storage import has_local_paths

logger = logging.getLogger("directlinks")


def register(
    model: type[Model] | str,
    field: str,
    *,
    owner: Any = None,
    path: Any = None,
    when: Any = None,
    on_delete: OnDelete = REVOKE,
) -> None:
    """Let the files in the FileField ``field`` of ``model`` have links.

    Call it in ``AppConfig.ready()``. See ``Registration`` for ``owner``, ``path`` and ``when``.
    System checks report a field that cannot be registered. Raise ImproperlyConfigured if models are
    not loaded yet.
    """
    try:
        apps.check_models_ready()
    except AppRegistryNotReady as error:
        fault = "Models are not loaded yet: call directlinks.register() in AppConfig.ready()."
        raise ImproperlyConfigured(fault) from error
    registration = Registration(registry.label_of(model), field, owner, path, when, on_delete)
    if registry.add(registration):
        _connect(registration)


def unregister(model: type[Model] | str, field: str) -> None:
    """Forget what is registered of a field. For tests: files that have links keep them."""
    registration = registry.registered(f"{registry.label_of(model)}.{field}")
    if registration is None:
        return
    registry.remove(registration)
    for sender in _senders(registration):
        if not registry.registrations_of(sender):
            for signal, receiver in _RECEIVERS.items():
                signal.disconnect(sender=sender, dispatch_uid=_uid(receiver))


def _connect(registration: Registration) -> None:
    for sender in _senders(registration):
        for signal, receiver in _RECEIVERS.items():
            signal.connect(receiver, sender=sender, dispatch_uid=_uid(receiver))


def _senders(registration: Registration) -> list[type[Model]]:
    """Return the models whose objects have the field, none if a check will report it."""
    try:
        model, _ = registration.model, registration.field
    except LookupError:
        return []
    models = apps.get_models(include_auto_created=True)
    return [sender for sender in models if issubclass(sender, model)]


def _uid(receiver: Any) -> str:
    return f"{receiver.__module__}.{receiver.__name__}"


class _Seen(NamedTuple):
    """What decides a mirror, as it was when an object was read or last saved.

    ``name`` is the very text in the file's column: a file that is stored anew under the same name
    comes with another text.
    """

    name: Any
    others: tuple[Any, ...]


_DEFERRED = object()
_SEEN, _CHANGED = "_directlinks_seen", "_directlinks_changed"


def _watched(registration: Registration) -> tuple[str, ...] | None:
    """Return the columns beside the file's own that decide a mirror, None if any may.

    What a function looks at is not known.
    """
    if registration.path or registration.when or callable(registration.owner):
        return None
    if registration.owner is None:
        return ()
    first: Any = registration.owner.split(".")[0]
    columns = {field.name: field.attname for field in registration.model._meta.concrete_fields}
    return (columns[first],) if first in columns else None


def _seen(registration: Registration, instance: Model) -> _Seen:
    values = vars(instance)
    file = values.get(registration.field_name, _DEFERRED)
    name = file.name if isinstance(file, FieldFile) else file
    watched = _watched(registration) or ()
    return _Seen(name, tuple(values.get(column, _DEFERRED) for column in watched))


def _note_what_was_read(sender: type[Model], instance: Model, **kwargs: Any) -> None:
    vars(instance)[_SEEN] = {
        one.label: _seen(one, instance) for one in registry.registrations_of(sender)
    }


class _Change(NamedTuple):
    """Whether the bytes are others, or only what is said of them may be."""

    has_new_bytes: bool


def _note_what_changes(
    sender: type[Model],
    instance: Model,
    raw: bool = False,  # noqa: FBT001, FBT002  # Django's signature
    update_fields: Iterable[str] | None = None,
    **kwargs: Any,
) -> None:
    changed: dict[str, _Change] = {}
    for one in registry.registrations_of(sender) if not raw else ():
        before, now = vars(instance).get(_SEEN, {}).get(one.label), _seen(one, instance)
        watched = _watched(one)
        if update_fields is not None and watched is not None:
            names = {one.field_name, *watched, *(name.removesuffix("_id") for name in watched)}
            if names.isdisjoint(update_fields):
                continue
        file = vars(instance).get(one.field_name)
        # Django's own mark, which its stubs do not know.
        is_stored_anew = isinstance(file, FieldFile) and not getattr(file, "_committed", True)
        has_new_bytes = (
            instance._state.adding
            or is_stored_anew
            or before is None
            or before.name is not now.name
        )
        if has_new_bytes or watched is None or before.others != now.others:
            changed[one.label] = _Change(has_new_bytes)
    vars(instance)[_CHANGED] = changed


def _follow_saved(
    sender: type[Model],
    instance: Model,
    created: bool = False,  # noqa: FBT001, FBT002  # Django's signature
    raw: bool = False,  # noqa: FBT001, FBT002
    using: str | None = None,
    **kwargs: Any,
) -> None:
    changed: dict[str, _Change] = vars(instance).pop(_CHANGED, {})
    for one in registry.registrations_of(sender) if not raw else ():
        change = _Change(has_new_bytes=True) if created else changed.get(one.label)
        if change is not None and _follow(one, instance, using, has_new_bytes=change.has_new_bytes):
            seen = vars(instance).setdefault(_SEEN, {})
            # Not before: what is rolled back is saved again by the same object.
            transaction.on_commit(partial(seen.__setitem__, one.label, _seen(one, instance)), using)


def _follow_deleted(
    sender: type[Model], instance: Model, using: str | None = None, **kwargs: Any
) -> None:
    for one in registry.registrations_of(sender):
        # Of a child that is deleted, its parent may be kept.
        if sender._meta.concrete_model is one.model:
            key = one.key_of(instance)
            _run_with(using, one, key, partial(_withdraw, one, [key]))


_RECEIVERS = {
    post_init: _note_what_was_read,
    pre_save: _note_what_changes,
    post_save: _follow_saved,
    post_delete: _follow_deleted,
}


def _follow(
    registration: Registration, instance: Model, using: str | None, *, has_new_bytes: bool
) -> bool:
    change = partial(_update_mirror, registration, instance, has_new_bytes=has_new_bytes)
    return _run_with(using, registration, registration.key_of(instance), change)


def _run_with(
    using: str | None, registration: Registration, key: str, change: Callable[[], object]
) -> bool:
    """Make ``change`` in the site's transaction, or after it if that is of another database.

    Errors are logged, and the site goes on. Return False if there was one.
    """
    if using is None or using == File.objects.db:
        return _run(registration, key, change)
    transaction.on_commit(partial(_run, registration, key, change), using=using)
    return True


def _run(registration: Registration, key: str, change: Callable[[], object]) -> bool:
    def attempt() -> None:
        # A savepoint of its own, so that what fails does not spoil the site's transaction.
        with File.objects.atomic():
            change()

    try:
        retry_on_conflict(attempt)
    except Exception:  # of a site's function or storage
        logger.exception(
            "The links of %s %s may be out of date; directlinks_sync updates them.",
            registration.label,
            key,
        )
        return False
    return True


def _withdraw(registration: Registration, keys: Sequence[str]) -> None:
    """Stop the links of objects that are gone."""
    mirrors = File.objects.filter(storage_alias=registration.label, source_key__in=keys)
    if registration.on_delete is REVOKE:
        mirrors.trash(timezone.now())
    else:
        mirrors.delete()


def _may_open(registration: Registration, instance: Model) -> bool:
    if not registration.file_of(instance):
        return False
    return registration.when is None or bool(registration.when(instance))


def _update_mirror(
    registration: Registration, instance: Model, *, has_new_bytes: bool
) -> File | None:
    """Make the mirror of ``instance`` what it should be, and return it, or None if it has none."""
    key = registration.key_of(instance)
    mirror: File | None = File.objects.filter(
        storage_alias=registration.label, source_key=key
    ).first()
    is_open = _may_open(registration, instance)
    if mirror is None:
        return _new_mirror(registration, instance) if is_open else None
    fields = _change_mirror(mirror, registration, instance, has_new_bytes=has_new_bytes)
    if mirror.is_live != is_open:
        mirror.deleted_at = None if is_open else timezone.now()
        fields.add("deleted_at")
    _save(mirror, fields)
    return mirror


def _new_mirror(registration: Registration, instance: Model) -> File:
    mirror = _unsaved_mirror(registration, instance)
    _save(mirror)
    return mirror


def _unsaved_mirror(
    registration: Registration, instance: Model, *, ask_remote: bool = True
) -> File:
    mirror = File(source_key=registration.key_of(instance))
    mirror.owner_id = _owner_key(registration, instance)
    mirror.path = _path(registration, instance)
    _take_content(mirror, registration, instance, ask_remote=ask_remote)
    return mirror


def _change_mirror(
    mirror: File, registration: Registration, instance: Model, *, has_new_bytes: bool
) -> set[str]:
    """Assign to ``mirror`` what is different, and return the names of these fields."""
    fields: set[str] = set()
    owner_key = _owner_key(registration, instance)
    if mirror.owner_id != owner_key:
        mirror.owner_id = owner_key
        fields.add("owner")
    # A path that is ours stays, as the name in an address does.
    if registration.path is not None and mirror.path != (path := registration.path(instance)):
        mirror.path = path
        fields.add("path")
    name = registration.file_of(instance).name
    if name and (has_new_bytes or str(mirror.content) != name):
        _take_content(mirror, registration, instance)
        fields.add("content")
    return fields


def _take_content(
    mirror: File, registration: Registration, instance: Model, *, ask_remote: bool = True
) -> None:
    """Let ``mirror`` name the file of ``instance``; of a remote one ask its size ``ask_remote``."""
    name = str(registration.file_of(instance).name)
    mirror.content = name
    mirror.storage_alias = registration.label
    try:
        if ask_remote or beginning(mirror.content, 1) is not None:
            mirror.describe_content()
        else:
            _leave_undescribed(mirror)
    except Exception as error:  # noqa: BLE001  # of any storage: the site has saved its object
        logger.warning(
            "The size of %s %s is not known: %s",
            registration.label,
            mirror.source_key,
            "; ".join(error.messages) if isinstance(error, ValidationError) else error,
        )
        _leave_undescribed(mirror)
    mirror.content_type = content_types.guess(posixpath.basename(name), conf.CONTENT_TYPES)
    if content_types.is_text_without_charset(mirror.content_type):
        sample = beginning(mirror.content, content_types.SAMPLE_BYTES)
        if sample is not None:
            mirror.content_type = content_types.with_charset(mirror.content_type, sample)
    # It is described.
    mirror.content_is_new = False


def _leave_undescribed(mirror: File) -> None:
    mirror.size = 0
    mirror.version = secrets.token_hex(16)
    mirror.content_updated_at = timezone.now()


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
        raise TypeError(f"The owner of {registration.label} is no user: {user!r}")
    return None if user is None else user.pk


def _path(registration: Registration, instance: Model) -> str:
    """Return the path of a new mirror: ``<app>/<model>/<key>/<name>``, unless it is registered."""
    if registration.path is not None:
        return registration.path(instance)
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


# Up to this number of files may want the same path.
_MOST_OF_A_PATH = 100


def _save(mirror: File, fields: set[str] | None = None) -> None:
    """Save ``fields`` of ``mirror``, or all, at the next free path if another file has its own."""
    if fields is not None and not fields:
        return
    wanted = mirror.path
    for number in count(2):
        try:
            mirror.save(update_fields=fields)
        except ValidationError as error:
            is_taken = any(one.code == "path_taken" for one in error.error_dict.get("path", []))
            if not is_taken or number > _MOST_OF_A_PATH:
                raise
            stem, extension = posixpath.splitext(wanted)
            mirror.path = f"{stem} ({number}){extension}"
            fields = None if fields is None else fields | {"path"}
        else:
            return


def link_for(
    file: FieldFile,
    *,
    created_by: Any = None,
    expires_in: timedelta | None = None,
    **limits: Any,
) -> DirectLink:
    """Return a link to ``file``, such as ``invoice.pdf``, whose field is registered.

    It is the file's reusable link, which is made if it is missing. With ``expires_in`` or other
    ``limits``, under their names in DirectLink, it is a new link of its own. ``created_by`` is the
    user who makes it. Raise ValueError if there is no file, if it is not stored yet, if its field
    is not registered, or if ``when`` does not allow links now; and ValidationError for wrong
    limits.
    """
    source = _source(file)
    if not file:
        raise ValueError(f"{source} is empty: there is no file to link to.")
    (link,) = links_for([file], created_by=created_by, expires_in=expires_in, **limits)
    if link is None:
        raise ValueError(f"{source} may have no links now: `when` of its registration says so.")
    return link


def links_for(
    files: Iterable[FieldFile],
    *,
    created_by: Any = None,
    expires_in: timedelta | None = None,
    **limits: Any,
) -> list[DirectLink | None]:
    """Return a link for each of ``files``, in their order, as ``link_for`` does.

    It is None for a file that is empty, or may have no links now. One statement for any number of
    files that have their links; one more for those that are met for the first time, as far as the
    database takes that many parameters, and one for new links. Raise ValueError and ValidationError
    as ``link_for`` does.
    """
    sources = [_source(file) for file in files]
    now = timezone.now()
    if expires_in is not None:
        limits["expires_at"] = now + expires_in
    columns = limits_of_new(limits, user=created_by, now=now)
    mirrors = _mirrors({source for source in sources if source.is_open})
    links: dict[int, DirectLink]
    if is_reusable(columns, reuse=True):
        links = {file.id: link for file, link in mirrors.values() if link is not None}
        missing = [file for file, link in mirrors.values() if link is None]
        links |= create_reusable_links(missing, created_by=created_by).links
    else:
        files_of_all = [file for file, _ in mirrors.values()]
        links = create_dedicated_links(files_of_all, columns=columns, created_by=created_by)
    return [
        None if (mirror := mirrors.get(source)) is None else links.get(mirror.file.id)
        for source in sources
    ]


def existing_links(files: Sequence[FieldFile]) -> list[DirectLink | None]:
    """Return the reusable link of each of ``files``, in their order, None if it has none. One read.

    Raise ValueError as ``link_for`` does.
    """
    places = [_source(file).place for file in files]
    found = _find_mirrors(list(dict.fromkeys(places)))
    return [None if (mirror := found.get(place)) is None else mirror.link for place in places]


@dataclass(frozen=True, eq=False, slots=True)
class _Source:
    """A file in a registered field."""

    registration: Registration
    instance: Model
    key: str
    name: str

    def __str__(self) -> str:
        return f"{self.registration.label} of {self.key}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Source) and self.place == other.place

    def __hash__(self) -> int:
        return hash(self.place)

    @property
    def place(self) -> tuple[str, str]:
        return self.registration.label, self.key

    @property
    def is_open(self) -> bool:
        return _may_open(self.registration, self.instance)


def _source(file: FieldFile) -> _Source:
    """Return the source of ``file``. Raise ValueError if it can have none."""
    if not isinstance(file, FieldFile):
        raise TypeError(f"Expected the file of an object, such as invoice.pdf, not {file!r}.")
    registration = registry.registration_of(file)
    if registration is None:
        meta = file.field.model._meta
        line = f'directlinks.register("{meta.label}", "{file.field.name}")'
        raise ValueError(f"This field is not registered: write {line} in AppConfig.ready().")
    if file.instance._state.adding or not getattr(file, "_committed", True):
        raise ValueError(f"Save this object first: {registration.label} is not stored yet.")
    return _Source(
        registration, file.instance, registration.key_of(file.instance), str(file.name or "")
    )


class _Mirror(NamedTuple):
    file: File
    link: DirectLink | None


def _mirrors(sources: Iterable[_Source]) -> dict[_Source, _Mirror]:
    """Return the mirror of each source, with its reusable link; those that are missing are made."""
    known = {source.place: source for source in sources}
    found = _find_mirrors(list(known))
    mirrors: dict[_Source, _Mirror] = {}
    missing: list[_Source] = []
    for place, source in known.items():
        mirror = found.get(place)
        if mirror is None:
            missing.append(source)
        elif mirror.file.is_live and str(mirror.file.content) == source.name:
            mirrors[source] = mirror
        else:  # something passed by the signals
            file = _update_mirror(source.registration, source.instance, has_new_bytes=True)
            if file is not None:
                mirrors[source] = mirror._replace(file=file)
    return mirrors | _make_mirrors(missing)


def _find_mirrors(places: Sequence[tuple[str, str]]) -> dict[tuple[str, str], _Mirror]:
    keys: dict[str, list[str]] = {}
    for label, key in places:
        keys.setdefault(label, []).append(key)
    if not keys:
        return {}
    wanted = Q(pk__in=[])
    for label, those in keys.items():
        wanted |= Q(storage_alias=label, source_key__in=those)
    reusable = FilteredRelation("links", condition=Q(links__reuse_name__isnull=False))
    rows: Any = File.objects.filter(wanted).annotate(
        reusable=reusable,
        link_id=F("reusable__id"),
        link_code=F("reusable__code"),
        link_name=F("reusable__name"),
    )
    mirrors: dict[tuple[str, str], _Mirror] = {}
    for file in rows:
        place = (file.storage_alias, str(file.source_key))
        link = None
        if file.link_id is not None and file.link_name == file.name:
            link = FoundLink(file.link_id, file.link_code, file.link_name, file, rows.db).instance()
        if place not in mirrors or link is not None:
            mirrors[place] = _Mirror(file, link)
    return mirrors


def _make_mirrors(sources: Sequence[_Source]) -> dict[_Source, _Mirror]:
    if not sources:
        return {}
    new: list[Any] = [
        _unsaved_mirror(source.registration, source.instance, ask_remote=len(sources) == 1)
        for source in sources
    ]
    for mirror in new:
        mirror.derive_from_path()
    try:
        with File.objects.atomic():
            File.objects.bulk_create(new)
    except IntegrityError:  # a path or an object that another file has
        made = {
            source: retry_on_conflict(
                lambda source=source: _update_mirror(  # type: ignore[misc]
                    source.registration, source.instance, has_new_bytes=False
                )
            )
            for source in sources
        }
        return {source: _Mirror(file, None) for source, file in made.items() if file is not None}
    if new[0].pk is None:  # this database does not return the keys of new rows
        found = _find_mirrors([source.place for source in sources])
        return {source: found[source.place] for source in sources}
    return {source: _Mirror(file, None) for source, file in zip(sources, new, strict=True)}


@dataclass(slots=True)
class Synced:
    """What became of the mirrors of one batch of objects, and what went wrong, in a line each."""

    made: int = 0
    updated: int = 0
    withdrawn: int = 0
    unchanged: int = 0
    faults: list[str] = dataclass_field(default_factory=list)


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


def sync(registration: Registration, *, dry_run: bool = False) -> Iterator[Synced]:
    """Make all mirrors of a registered field what they should be, in batches.

    A batch can be interrupted and begun again. It costs two reads and, if something is different,
    up to two writes, as far as the database takes that many parameters; a path that is taken costs
    one more for its file. Of local files the size is compared, too.
    """
    model = registration.model
    objects = model._base_manager.using(router.db_for_write(model))
    for step in in_batches(objects.select_related(*_relations(registration))):
        yield _sync_step(registration, step, dry_run=dry_run)
    mirrors = File.objects.filter(storage_alias=registration.label, source_key__isnull=False)
    if registration.on_delete is REVOKE:
        mirrors = mirrors.live()
    for files in in_batches(mirrors):
        keys = {str(file.source_key) for file in files}
        there = objects.filter(pk__in=keys).values_list("pk", flat=True)
        gone = sorted(keys - {str(key) for key in there})
        if gone:
            if not dry_run:
                _withdraw(registration, gone)
            yield Synced(withdrawn=len(gone))


def _relations(registration: Registration) -> list[str]:
    """Return the relations to join, so that no object costs a statement of its own."""
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


def _sync_step(registration: Registration, objects: Sequence[Model], *, dry_run: bool) -> Synced:
    synced = Synced()
    keys = [registration.key_of(one) for one in objects]
    mirrors = {
        mirror.source_key: mirror
        for mirror in File.objects.filter(storage_alias=registration.label, source_key__in=keys)
    }
    new: list[File] = []
    changed: list[tuple[File, set[str]]] = []
    for key, instance in zip(keys, objects, strict=True):
        try:
            mirror, fields = _synced_mirror(registration, instance, mirrors.get(key))
        except Exception as error:  # noqa: BLE001  # of a site's function
            synced.faults.append(f"{registration.label} {key}: {error}")
            continue
        if mirror is None or not (fields or mirror._state.adding):
            synced.unchanged += 1
        elif mirror._state.adding:
            new.append(mirror)
        else:
            changed.append((mirror, fields))
            synced.withdrawn += "deleted_at" in fields and not mirror.is_live
    synced.made = len(new)
    synced.updated = len(changed) - synced.withdrawn
    if not dry_run:
        _write(new, changed, synced, registration)
    return synced


def _synced_mirror(
    registration: Registration, instance: Model, mirror: File | None
) -> tuple[File | None, set[str]]:
    """Return the mirror of ``instance``, not saved, and which of its fields are different."""
    is_open = _may_open(registration, instance)
    if mirror is None:
        return (_unsaved_mirror(registration, instance) if is_open else None), set()
    fields = _change_mirror(
        mirror, registration, instance, has_new_bytes=is_open and _has_another_size(mirror)
    )
    if mirror.is_live != is_open:
        mirror.deleted_at = None if is_open else timezone.now()
        fields.add("deleted_at")
    return mirror, fields


def _has_another_size(mirror: File) -> bool:
    """Return True if a local file is not as large as its mirror says."""
    if not has_local_paths(mirror.content.storage):
        return False
    try:
        return bool(mirror.content.size != mirror.size)
    except OSError:  # it is gone, as visitors and the doctor are told
        return False


def _write(
    new: list[File],
    changed: list[tuple[File, set[str]]],
    synced: Synced,
    registration: Registration,
) -> None:
    """Write a batch by two statements, or, if a path is taken, file by file."""
    now = timezone.now()
    for mirror in (*new, *(mirror for mirror, _ in changed)):
        mirror.derive_from_path()
        mirror.updated_at = now
    try:
        with File.objects.atomic():
            File.objects.bulk_create(new)
            File.objects.bulk_update([mirror for mirror, _ in changed], _MIRRORED)
    except IntegrityError:
        for mirror, fields in [*((mirror, None) for mirror in new), *changed]:
            mirror.pk = mirror.pk if fields else None
            try:
                _save(mirror, fields)
            except (IntegrityError, ValidationError) as error:
                synced.faults.append(f"{registration.label} {mirror.source_key}: {error}")


def out_of_date(files: Iterable[File]) -> dict[int, str]:
    """Return why mirrors among ``files`` are not what they should be, by their keys.

    One read for each registered field.
    """
    of_label: dict[str, dict[str, File]] = {}
    for file in files:
        if file.source_key is not None:
            of_label.setdefault(file.storage_alias, {})[file.source_key] = file
    faults: dict[int, str] = {}
    for label, mirrors in of_label.items():
        registration = registry.registered(label)
        if registration is None:
            faults |= {file.pk: f"{label} is not registered." for file in mirrors.values()}
            continue
        model = registration.model
        objects = model._base_manager.using(router.db_for_write(model)).filter(pk__in=mirrors)
        names = {
            str(key): name or "" for key, name in objects.values_list("pk", registration.field_name)
        }
        for key, file in mirrors.items():
            if key not in names:
                faults[file.pk] = f"{label} {key} is gone."
            elif names[key] != str(file.content):
                faults[file.pk] = f"{label} {key} has another file."
    return faults
