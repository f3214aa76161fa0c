"""Bringing mirrors up to date with objects that changed without a signal."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from django.db.models import Model

from directlinks import registry
from directlinks.models import File
from directlinks.querysets import in_batches
from directlinks.registry import REVOKE, Registration
from directlinks.services import mirrors
from directlinks.services.mirrors import Description, describe, mirrors_of, objects_of
from directlinks.storage import has_local_paths


@dataclass(slots=True)
class Synced:
    """What happened to the mirrors of one batch of objects; ``faults`` has one line for each."""

    made: int = 0
    updated: int = 0
    withdrawn: int = 0
    unchanged: int = 0
    faults: list[str] = field(default_factory=list)


def sync(registration: Registration, *, dry_run: bool = False) -> Iterator[Synced]:
    """Let all mirrors of a registered field say what their objects say, in batches.

    It can be interrupted and begun again. A batch costs two reads, and four statements more if
    something is different, as far as the database takes that many parameters; a path that is taken
    costs more. Of local files the size is compared, too.
    """
    for step in in_batches(objects_of(registration)):
        yield _sync_step(registration, step, dry_run=dry_run)
    known = File.objects.filter(storage_alias=registration.label, source_key__isnull=False)
    if registration.on_delete is REVOKE:
        known = known.live()
    for files in in_batches(known):
        keys = [str(file.source_key) for file in files]
        there = objects_of(registration).filter(pk__in=keys)
        gone = set(keys) - {registration.key_of(one) for one in there}
        if gone:
            if not dry_run:
                mirrors.refresh(registration, sorted(gone))
            yield Synced(withdrawn=len(gone))


def _sync_step(registration: Registration, objects: Sequence[Model], *, dry_run: bool) -> Synced:
    synced = Synced()
    keys = [registration.key_of(one) for one in objects]
    known = {str(mirror.source_key): mirror for mirror in mirrors_of(registration, keys)}
    openable = mirrors.openable_keys(registration, objects)
    described: dict[tuple[str, str], Description] = {}
    new_contents: set[str] = set()
    different: list[str] = []
    for key, instance in zip(keys, objects, strict=True):
        try:
            before = known.get(key)
            has_file = bool(registration.file_of(instance))
            is_new = has_file and before is not None and _has_another_size(before)
            # Storages are asked here, and not while rows are locked.
            name = registration.file_of(instance).name
            is_open = key in openable
            if is_new or (is_open if before is None else name and name != str(before.content)):
                described[key, str(name)] = describe(registration, instance)
            mirror, fields = mirrors.changed_mirror(
                registration,
                instance,
                before,
                is_open=is_open,
                has_new_content=is_new,
                described=described,
            )
        except Exception as error:  # noqa: BLE001  # of a site's function
            synced.faults.append(f"{registration.label} {key}: {error}")
            continue
        if mirror is None or not (fields or mirror._state.adding):
            synced.unchanged += 1
            continue
        different.append(key)
        new_contents |= {key} if is_new else set()
        if mirror._state.adding:
            synced.made += 1
        elif "deleted_at" in fields and not mirror.is_live:
            synced.withdrawn += 1
        else:
            synced.updated += 1
    if different and not dry_run:
        refreshed = mirrors.refresh(
            registration, different, described=described, new_contents=frozenset(new_contents)
        )
        synced.faults += [
            f"{registration.label} {key}: {fault}" for key, fault in refreshed.faults.items()
        ]
    return synced


def _has_another_size(mirror: File) -> bool:
    """Return True if a local file is not as large as its mirror says."""
    if not has_local_paths(mirror.content.storage):
        return False
    try:
        return bool(mirror.content.size != mirror.size)
    except OSError:  # it is gone, as visitors and the doctor are told
        return False


def out_of_date(files: Iterable[File]) -> dict[int, str]:
    """Return why mirrors among ``files`` are not what they should be, by their keys.

    One read for each registered field, and one more if its ``when`` is a condition.
    """
    of_label: dict[str, dict[str, File]] = {}
    for file in files:
        if file.source_key is not None:
            of_label.setdefault(file.storage_alias, {})[file.source_key] = file
    faults: dict[int, str] = {}
    for label, known in of_label.items():
        registration = registry.registration_named(label)
        if registration is None:
            faults |= {file.pk: f"{label} is not registered." for file in known.values()}
            continue
        objects = objects_of(registration).filter(pk__in=known)
        there = {registration.key_of(one): one for one in objects}
        openable = mirrors.openable_keys(registration, there.values())
        for key, file in known.items():
            if key not in there:
                faults[file.pk] = f"{label} {key} is gone."
                continue
            is_open = key in openable
            reason = mirrors.stale_reason(registration, there[key], file, is_open=is_open)
            if reason is not None:
                faults[file.pk] = f"{label} {key} {reason}."
    return faults
