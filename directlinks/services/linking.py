"""Links to the files of a site's own objects."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

from django.db.models import F, FilteredRelation, Model, Q
from django.db.models.fields.files import FieldFile
from django.utils import timezone

from directlinks import registry
from directlinks.models import DirectLink, File
from directlinks.registry import Registration
from directlinks.services import mirrors
from directlinks.services.creating import create_dedicated_links, create_reusable_links
from directlinks.services.limits import is_reusable, limits_of_new
from directlinks.sql.batches import FoundLink

logger = logging.getLogger("directlinks")


def link_for(
    file: FieldFile,
    *,
    created_by: Any = None,
    expires_in: timedelta | None = None,
    **limits: Any,
) -> DirectLink:
    """Return a link to ``file``, such as ``invoice.pdf``, whose field is registered.

    It is the file's reusable link, which is made if it is missing. With ``expires_in`` or other
    ``limits``, under their names in DirectLink, it is a dedicated link. ``created_by`` is the user
    who makes it. Raise ValueError if there is no file, if it is not stored yet, if its field is not
    registered, or if it cannot be linked now; and ValidationError for wrong limits.
    """
    source = _source(file)
    if not file:
        raise ValueError(f"{source} is empty: there is no file to link to.")
    (link,) = links_for([file], created_by=created_by, expires_in=expires_in, **limits)
    if link is None:
        raise ValueError(
            f"{source} cannot be linked now: it is gone, `when` says no, or a function of its "
            "registration failed, which the log says."
        )
    return link


def links_for(
    files: Iterable[FieldFile],
    *,
    created_by: Any = None,
    expires_in: timedelta | None = None,
    **limits: Any,
) -> list[DirectLink | None]:
    """Return a link for each of ``files``, in their order, as ``link_for`` does.

    It is None for a file that is empty, or cannot be linked now; if a function of its registration
    fails, that is logged. One statement for any number of
    files that have their links. Objects whose files are not known, or not as they are here, are
    read again: what an object in memory says may be old. Raise ValueError and ValidationError as
    ``link_for`` does, and TypeError for ``expires_in`` beside ``expires_at``.
    """
    if expires_in is not None:
        if "expires_at" in limits:
            raise TypeError("expires_in and expires_at exclude each other.")
        limits["expires_at"] = timezone.now() + expires_in
    return make_links(files, created_by=created_by, limits=limits)


def make_links(
    files: Iterable[FieldFile],
    *,
    created_by: Any,
    limits: dict[str, Any],
    allows: Callable[[File], bool] = lambda file: True,
) -> list[DirectLink | None]:
    """Return what ``links_for`` returns, and None for files that ``allows`` refuses."""
    sources = [_source(file) for file in files]
    columns = limits_of_new(limits, user=created_by, now=timezone.now())
    found = {
        source: mirror for source, mirror in _mirrors(set(sources)).items() if allows(mirror.file)
    }
    links: dict[int, DirectLink]
    if is_reusable(columns, reuse=True):
        links = {file.id: link for file, link in found.values() if link is not None}
        missing = [file for file, link in found.values() if link is None]
        links |= create_reusable_links(missing, created_by=created_by).links
    else:
        linkable = [file for file, _ in found.values()]
        links = create_dedicated_links(linkable, columns=columns, created_by=created_by)
    return [
        None if (mirror := found.get(source)) is None else links.get(mirror.file.id)
        for source in sources
    ]


def existing_links(files: Sequence[FieldFile]) -> list[DirectLink | None]:
    """Return the reusable link of each of ``files``, in their order, None if it has none. One read.

    Raise ValueError as ``link_for`` does.
    """
    places = [_source(file).place for file in files]
    found = _find(set(places))
    return [None if (mirror := found.get(place)) is None else mirror.link for place in places]


@dataclass(frozen=True, eq=False, slots=True)
class _Source:
    """A file in a registered field. Two of one field and key are equal."""

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


def is_saved(file: FieldFile) -> bool:
    """Return True if ``file`` is stored, and its object has a row."""
    instance: Any = file.instance
    # The last is Django's own mark, which its stubs do not know.
    return (
        instance.pk is not None and not instance._state.adding and file._committed  # type: ignore[attr-defined]
    )


def _source(file: FieldFile) -> _Source:
    """Return the source of ``file``. Raise ValueError if it can have no link."""
    if not isinstance(file, FieldFile):
        raise TypeError(f"Expected the file of an object, such as invoice.pdf, not {file!r}.")
    instance: Any = file.instance
    registration = registry.registration_of(file)
    if registration is None:
        meta = file.field.model._meta
        line = f'directlinks.register("{meta.label}", "{file.field.name}")'
        raise ValueError(f"This field is not registered: write {line} in AppConfig.ready().")
    if not is_saved(file):
        raise ValueError(f"Save this object first: {registration.label} is not stored.")
    return _Source(registration, instance, registration.key_of(instance), str(file.name or ""))


class _Mirror(NamedTuple):
    file: File
    link: DirectLink | None


def _mirrors(sources: Iterable[_Source]) -> dict[_Source, _Mirror]:
    """Return the live mirror of each source, with its reusable link, if it may have one."""
    known = {source.place: source for source in sources}
    found = _find(known)
    openable = _openable(known.values())
    live: dict[_Source, _Mirror] = {}
    outdated: dict[str, list[_Source]] = {}
    for place, source in known.items():
        mirror = found.get(place)
        is_open = place in openable
        is_live = mirror is not None and mirror.file.is_live
        if mirror is not None and is_open and is_live and str(mirror.file.content) == source.name:
            live[source] = mirror
        elif is_open or is_live:
            outdated.setdefault(source.registration.label, []).append(source)
    for those in outdated.values():
        refreshed = mirrors.refresh(those[0].registration, [source.key for source in those])
        for key, fault in refreshed.faults.items():
            logger.error("%s %s cannot be linked: %s", those[0].registration.label, key, fault)
        for source in those:
            if (file := refreshed.live.get(source.key)) is not None:
                before = found.get(source.place)
                link = before.link if before and before.file.name == file.name else None
                live[source] = _Mirror(file, link)
    return live


def _openable(sources: Iterable[_Source]) -> set[tuple[str, str]]:
    """Return the places of those ``sources`` that may be linked now, by their objects."""
    instances: dict[Registration, list[Model]] = {}
    for source in sources:
        instances.setdefault(source.registration, []).append(source.instance)
    return {
        (registration.label, key)
        for registration, those in instances.items()
        for key in mirrors.openable_keys(registration, those)
    }


def _find(places: Iterable[tuple[str, str]]) -> dict[tuple[str, str], _Mirror]:
    """Return the mirrors at ``places``, labels and keys, with their reusable links. One read."""
    keys: dict[str, list[str]] = {}
    for label, key in places:
        keys.setdefault(label, []).append(key)
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
    found: dict[tuple[str, str], _Mirror] = {}
    for file in rows.order_by("pk") if keys else ():
        place = (file.storage_alias, str(file.source_key))
        link = None
        # A file that was renamed has links of its former names.
        if file.link_id is not None and file.link_name == file.name:
            link = FoundLink(file.link_id, file.link_code, file.link_name, file, rows.db).instance()
        if place not in found or link is not None:
            found[place] = _Mirror(file, link)
    return found
