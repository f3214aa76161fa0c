"""Registering fields of a site's own models, and following the objects that have them.

Saving and deleting an object changes its mirror (see ``mirrors.py``) in the same transaction. What
sends no signals is found by ``syncing.py``.
"""

import logging
import weakref
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any, NamedTuple

from django.apps import apps
from django.core.exceptions import AppRegistryNotReady, ImproperlyConfigured
from django.core.files.storage import Storage
from django.db import connections, transaction
from django.db.models import Model, QuerySet
from django.db.models.fields.files import FieldFile
from django.db.models.signals import post_delete, post_init, post_save, pre_save

from directlinks import registry
from directlinks.models import File
from directlinks.querysets import in_batches, retry_on_conflict
from directlinks.registry import REVOKE, Condition, OnDelete, Registration
from directlinks.services import mirrors

logger = logging.getLogger("directlinks")

_OUT_OF_DATE = "The links of %s %s may be out of date; directlinks_sync updates them."


def register(
    model: type[Model] | str,
    field: str,
    *,
    owner: str | Callable[[Any], Any] | None = None,
    path: Callable[[Any], str] | None = None,
    when: Callable[[Any], bool] | Condition | None = None,
    on_delete: OnDelete = REVOKE,
    storage: Storage | Callable[[], Storage] | None = None,
) -> None:
    """Let the files in the FileField ``field`` of ``model`` have links.

    Call it in ``AppConfig.ready()``. See ``Registration`` for the arguments. System checks report a
    field that cannot be registered. Raise ImproperlyConfigured if models are not loaded yet.
    """
    try:
        apps.check_models_ready()
    except AppRegistryNotReady as error:
        fault = "Models are not loaded yet: call directlinks.register() in AppConfig.ready()."
        raise ImproperlyConfigured(fault) from error
    label = registry.label_of(model)
    registration = Registration(label, field, owner, path, when, on_delete, storage)
    if registry.add(registration):
        for sender in _senders(registration):
            for signal, receiver in _RECEIVERS.items():
                signal.connect(receiver, sender=sender, dispatch_uid=_uid(receiver))


def unregister(model: type[Model] | str, field: str) -> None:
    """Forget the registration of a field. For tests: files that have links keep them."""
    registration = registry.registration_named(f"{registry.label_of(model)}.{field}")
    if registration is None:
        return
    registry.remove(registration)
    for sender in _senders(registration):
        if not registry.registrations_of(sender):
            for signal, receiver in _RECEIVERS.items():
                signal.disconnect(sender=sender, dispatch_uid=_uid(receiver))


def _senders(registration: Registration) -> list[type[Model]]:
    """Return the models whose objects have the field, none if a check will report it."""
    try:
        model, _ = registration.model, registration.field
    except LookupError:
        return []
    models = apps.get_models(include_auto_created=True)
    return [sender for sender in models if issubclass(sender, model)]


def _uid(receiver: Callable[..., None]) -> str:
    return f"{receiver.__module__}.{receiver.__name__}"


class _Seen(NamedTuple):
    """What decides a mirror, as it was when an object was read or last saved.

    ``name`` is the very text in the file's column: a file that is stored anew under the same name
    comes with another text.
    """

    key: Any
    name: Any
    others: tuple[Any, ...]


_UNKNOWN = "unknown"  # stands for a column that was not read, and a file that is not stored yet


@dataclass(frozen=True, slots=True)
class _Followed:
    """What is known of an object: kept with Django's own state of it, so that no copy shares it.

    ``unsettled`` are labels of files that were followed in a transaction which is not over: if it
    is rolled back, the same object may be saved once more. ``uploaded`` are those of files that are
    about to be stored.
    """

    seen: dict[str, _Seen] = field(default_factory=dict)
    unsettled: frozenset[str] = frozenset()
    uploaded: frozenset[str] = frozenset()


def _followed(instance: Model) -> _Followed:
    followed: _Followed = getattr(instance._state, "directlinks", None) or _Followed()
    return followed


def _note(instance: Model, followed: _Followed) -> None:
    state: Any = instance._state
    state.directlinks = followed


class _Columns(NamedTuple):
    """What decides a mirror, as attributes of an object.

    ``others`` are columns on the way to the owner, None if a function may look at any.
    """

    key: str
    file: str
    others: tuple[str, ...] | None


# At each object of the model that is read, so it is worth keeping.
@cache
def _columns(registration: Registration) -> _Columns:
    meta: Any = registration.model._meta
    return _Columns(meta.pk.attname, registration.field_name, _others(registration, meta))


def _others(registration: Registration, meta: Any) -> tuple[str, ...] | None:
    if registration.path or registration.when:
        return None
    if registration.owner is None:
        return ()
    if not isinstance(registration.owner, str):
        return None
    first = registration.owner.split(".")[0]
    columns = {field.name: field.attname for field in meta.concrete_fields}
    return (columns[first],) if first in columns else None


def _seen(registration: Registration, instance: Model) -> _Seen:
    key, file, others = _columns(registration)
    values = vars(instance)
    name = values.get(file, _UNKNOWN)
    if not isinstance(name, str):
        name = name.name if isinstance(name, FieldFile) and _is_stored(name) else _UNKNOWN
    return _Seen(
        values.get(key, _UNKNOWN),
        name,
        tuple([values.get(column, _UNKNOWN) for column in others or ()]),
    )


def _is_stored(file: FieldFile) -> bool:
    # Django's own mark, which its stubs do not know.
    is_committed: bool = file._committed  # type: ignore[attr-defined]
    return is_committed


def _note_what_was_read(sender: type[Model], instance: Model, **kwargs: Any) -> None:
    seen = {one.label: _seen(one, instance) for one in registry.registrations_of(sender)}
    _note(instance, _Followed(seen))


def _note_uploads(sender: type[Model], instance: Model, **kwargs: Any) -> None:
    """Note what cannot be told after a save: which contents it stores, and if it is a new row."""
    uploaded = set()
    for one in registry.registrations_of(sender):
        file = vars(instance).get(one.field_name)
        is_stored = isinstance(file, str) or (isinstance(file, FieldFile) and _is_stored(file))
        if instance._state.adding or not (is_stored or file is None):
            uploaded.add(one.label)
    _note(instance, replace(_followed(instance), uploaded=frozenset(uploaded)))


def _follow_saved(
    sender: type[Model],
    instance: Model,
    *,
    created: bool,
    raw: bool,
    using: str,
    update_fields: Collection[str] | None,
    **kwargs: Any,
) -> None:
    for one in registry.registrations_of(sender):
        # Rows of another database are not those that links are made for.
        if raw or using != one.database:
            continue
        followed = _followed(instance)
        before, now = followed.seen.get(one.label), _seen(one, instance)
        has_new_content = (
            created
            or one.label in followed.uploaded | followed.unsettled
            or before is None
            or before.key != now.key
            or before.name is not now.name
        )
        if not has_new_content and before == now and _columns(one).others is not None:
            continue
        written = _written(one, update_fields)
        if written is False:
            continue
        # Else what the object says is not what its row says, or not yet.
        is_as_written = written and not _is_elsewhere(using) and not _has_expressions(instance)
        if is_as_written:
            # A storage is asked here, and not while rows are locked.
            known = mirrors.describe_new(one, instance) if has_new_content else {}
            change = partial(
                mirrors.update,
                one,
                instance,
                is_new=created,
                has_new_content=has_new_content,
                described=known,
            )
        else:
            change = partial(_update_from_row, one, instance, has_new_content=has_new_content)
        settle = partial(_settle, weakref.ref(instance), one.label, now)
        if _is_elsewhere(using):
            _after_commit(partial(_try_and_settle, one, instance.pk, change, settle), using)
        elif _try(one, instance.pk, change):
            unsettled = _followed(instance).unsettled | {one.label}
            _note(instance, replace(_followed(instance), unsettled=unsettled))
            # Not before: what is rolled back may be saved again by the same object.
            _after_commit(settle, using)


def follow(
    registration: Registration,
    objects: "QuerySet[Any, Any]",
    *,
    have_new_contents: bool = False,
) -> None:
    """Update the mirrors of ``objects`` of the registered model from their rows, in batches.

    It is for changes of which the objects send no signal, and for contents that changed under their
    names. What goes wrong is logged. Two reads and two writes for each batch.
    """
    for step in in_batches(objects):
        known = mirrors.mirrors_of(registration, [registration.key_of(one) for one in step])
        keys = [str(mirror.source_key) for mirror in known]
        if keys:
            new = frozenset(keys if have_new_contents else ())
            _try(registration, keys[0], partial(_update_from_rows, registration, keys, new))


def _update_from_rows(
    registration: Registration, keys: list[str], new_contents: frozenset[str]
) -> None:
    refreshed = mirrors.refresh(registration, keys, new_contents=new_contents)
    for key, fault in refreshed.faults.items():
        logger.error(_OUT_OF_DATE, registration.label, key, exc_info=fault)


def _update_from_row(registration: Registration, instance: Model, *, has_new_content: bool) -> None:
    key = registration.key_of(instance)
    new_contents = frozenset({key} if has_new_content else ())
    refreshed = mirrors.refresh(registration, [key], new_contents=new_contents)
    for fault in refreshed.faults.values():
        raise fault


def _written(registration: Registration, update_fields: Collection[str] | None) -> bool | None:
    """Return True if a save wrote all that decides a mirror, False if nothing of it, else None."""
    if update_fields is None:
        return True
    others = _columns(registration).others
    if others is None:
        return None
    names = {field.attname: field.name for field in registration.model._meta.concrete_fields}
    deciding = [{registration.field_name}, *({column, names[column]} for column in others)]
    are_written = [not columns.isdisjoint(update_fields) for columns in deciding]
    return True if all(are_written) else None if any(are_written) else False


def _has_expressions(instance: Model) -> bool:
    """Return True if a column was saved as an expression, whose value only the database knows."""
    return any(hasattr(value, "resolve_expression") for value in vars(instance).values())


def _settle(object_of: "weakref.ref[Model]", label: str, seen: _Seen) -> None:
    instance = object_of()
    if instance is not None:
        followed = _followed(instance)
        seen_now, unsettled = {**followed.seen, label: seen}, followed.unsettled - {label}
        _note(instance, replace(followed, seen=seen_now, unsettled=unsettled))


def _follow_deleted(sender: type[Model], instance: Model, *, using: str, **kwargs: Any) -> None:
    for one in registry.registrations_of(sender):
        # Of a child that is deleted, its parent may be kept.
        if sender._meta.concrete_model is not one.model or using != one.database:
            continue
        # The object loses its key once it is deleted.
        key = one.key_of(instance)
        change = partial(mirrors.withdraw, one, [key])
        if _is_elsewhere(using):
            _after_commit(partial(_try, one, key, change), using)
        else:
            _try(one, key, change)


_RECEIVERS: dict[Any, Callable[..., None]] = {
    post_init: _note_what_was_read,
    pre_save: _note_uploads,
    post_save: _follow_saved,
    post_delete: _follow_deleted,
}


def _is_elsewhere(using: str) -> bool:
    """Return True if our tables are in another database, and so in another transaction."""
    return bool(using != File.objects.db)


def _try_and_settle(
    registration: Registration,
    key: object,
    change: Callable[[], object],
    settle: Callable[[], object],
) -> None:
    if _try(registration, key, change):
        settle()


def _try(registration: Registration, key: object, change: Callable[[], object]) -> bool:
    """Make ``change``. Log what goes wrong, and return False: the site goes on."""

    def attempt() -> None:
        # A savepoint of its own, so that what fails does not spoil the site's transaction.
        with File.objects.atomic():
            change()

    try:
        retry_on_conflict(attempt, mirrors.conflicts())
    except Exception:  # of a site's function or storage, or of the database
        connection = connections[File.objects.db]
        if connection.in_atomic_block and connection.needs_rollback:
            raise  # the transaction is lost, as by a deadlock: the site has to begin it again
        logger.exception(_OUT_OF_DATE, registration.label, key)
        return False
    return True


def _after_commit(function: Callable[[], object], using: str) -> None:
    connection = connections[using]
    if connection.in_atomic_block or connection.get_autocommit():
        transaction.on_commit(function, using=using)
    else:  # the site commits by itself, which Django does not tell
        function()
