"""Finding the files that URIs name, for a user who asks for links to them."""

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.files.storage import InvalidStorageError

from directlinks.core import paths
from directlinks.core.errors import (
    ActionNotSupported,
    EntityNotExist,
    ForeignSpace,
    NotAFile,
    NotOwner,
    PathNotExist,
    ShareNotFound,
    UnknownFileSystem,
    URIError,
)
from directlinks.core.uris import SITE, FileURI
from directlinks.models import File
from directlinks.policies import Policy
from directlinks.sql import get_batch_queries
from directlinks.sql.batches import Found, FoundLink, Place
from directlinks.storage import without_bytes
from directlinks.users import owner_key, users

_CONTENT: Any = File._meta.get_field("content")
_OWNER: Any = File._meta.get_field("owner")


class Located(NamedTuple):
    """For each URI its file or error, and the reusable links by the keys of their files."""

    targets: list[File | URIError]
    links: dict[int, FoundLink]


def locate(file_uris: Sequence[FileURI], *, user: Any, policy: Policy) -> Located:
    """Return the files that the URIs name, for ``user`` to link.

    Each file has its owner at hand, and each link its file. Up to four statements for any number of
    URIs: the owners, if a URI names another user; the files with their reusable links; which of the
    missing ones are folders; and, if one URI is the only one to fail, the files on the way to it.
    Two more if files of the site are among them. All read the database that is written to.
    """
    owners = _owners(user, {uri.user for uri in file_uris if uri.fs == "my"})
    keys = {name: owner_key(owner) for name, owner in owners.items()}
    places = [
        (keys[uri.user], uri.path) if uri.fs == "my" and uri.user in keys else None
        for uri in file_uris
    ]
    requester = Requester(user, policy, {keys[name]: owner for name, owner in owners.items()})
    wanted = [place for place in dict.fromkeys(places) if place is not None]
    found, links = _find(wanted, requester)
    linkable = {place: file for place, file in found.items() if policy.allows(user, file)}
    refused = {place: requester.refusal(place) for place in found if place not in linkable}
    empty = {place: EntityNotExist() for place in _without_bytes(linkable)}
    missing, folders = _errors_of_missing([p for p in wanted if p not in found], requester)
    at: dict[Place, File | URIError] = {**linkable, **refused, **empty, **missing}
    targets = [
        _fault_of_space(uri) if place is None else at[place]
        for uri, place in zip(file_uris, places, strict=True)
    ]
    return Located(_with_element(file_uris, places, targets, folders, requester), links)


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asks, the policy that decides, and the users in whose spaces it is, by their keys.

    The owner of the site's own space is None, and so is its key.
    """

    user: Any
    policy: Policy
    owners: Mapping[Any, Any]

    def owns(self, place: Place) -> bool:
        return place[0] is not None and bool(place[0] == self.user.pk)

    def refusal(self, place: Place) -> URIError:
        return NotOwner() if self.owns(place) else ForeignSpace()

    def may_link_missing(self, place: Place) -> bool:
        """Return True if the policy would allow a link to a file at ``place``."""
        owner, path = place
        file = File(owner_id=owner, path=path)
        _OWNER.set_cached_value(file, self.owners[owner])  # without asking a database router
        return self.policy.allows(self.user, file)


def _errors_of_missing(
    missing: Sequence[Place], requester: Requester
) -> tuple[dict[Place, URIError], set[Place]]:
    """Return the errors of places without a file, and the folders among and on the way to them."""
    allowed = {place for place in missing if requester.may_link_missing(place)}
    # Nothing more is asked about a stranger's space: the work would tell what is there.
    known = {place for place in missing if place in allowed or requester.owns(place)}
    folders = _folders(known)
    errors: dict[Place, URIError] = {}
    for place in missing:
        is_folder = not place[1] or place in folders
        if place in known and not is_folder:
            errors[place] = PathNotExist(element=paths.name(place[1]))
        else:
            errors[place] = NotAFile(*place) if place in allowed else requester.refusal(place)
    return errors, folders


def _without_bytes(files: Mapping[Place, File]) -> list[Place]:
    """Return the places of those ``files`` that have no contents."""
    # What str(file.content) says, without the object that Django would make around it.
    names: dict[str, dict[Place, str]] = {}
    for place, file in files.items():
        of_row = vars(file)
        names.setdefault(of_row["storage_alias"], {})[place] = str(of_row["content"])
    return [
        place
        for alias, of_storage in names.items()
        for lacking in [_lacking(alias, of_storage.values())]
        for place, name in of_storage.items()
        if name in lacking
    ]


def _lacking(alias: str, names: Collection[str]) -> Collection[str]:
    """Return those of ``names`` that the storage with ``alias`` lacks, all if there is none."""
    try:
        storage = _CONTENT.storage_at(alias)
    except InvalidStorageError:
        return names
    return without_bytes(storage, names)


def _fault_of_space(uri: FileURI) -> URIError:
    """Return the error for a ``uri`` in a space that does not exist."""
    match uri.fs:
        case "my":
            return PathNotExist(cause="invalid user id")
        case "trash":
            return ActionNotSupported()
        case "share":
            return ShareNotFound()
        case "shared_with_me":
            return PathNotExist(cause=f'invalid Path "{uri.canonical}"')
        case _:
            return UnknownFileSystem(uri.fs)


def _owners(user: Any, names: Iterable[str | None]) -> dict[str | None, Any]:
    """Return the user for each user part of a URI; None and the user's own key mean ``user``.

    SITE means the site's own space, whose owner is None.
    """
    owners: dict[str | None, Any] = {None: user, str(user.pk): user, SITE: None}
    keys = [
        key for name in names if name is not None and name not in owners
        for key in user_keys(name)
    ]  # fmt: skip
    if keys:
        for owner in users().filter(pk__in=keys):
            owners[str(owner.pk)] = owner
    return owners


def space_keys(name: str) -> list[Any]:
    """Return the key of the owner that the user part ``name`` of a URI means, None for SITE.

    The list is empty if no user can have such a key.
    """
    return [None] if name == SITE else user_keys(name)


def user_keys(name: str) -> list[Any]:
    """Return the primary key written as ``name`` in a list, or an empty list: ``01`` is not 1."""
    field = get_user_model()._meta.pk
    try:
        key = field.to_python(name)
        field.run_validators(key)
    except (ValidationError, ValueError):
        return []
    return [key] if str(key) == name and name.isprintable() else []


def _can_exist(path: str) -> bool:
    return paths.fault(path, any_spelling=True) is None


def _find(places: Iterable[Place], requester: Requester) -> Found:
    possible = [place for place in places if _can_exist(place[1])]
    return get_batch_queries().fetch(possible, requester.owners) if possible else Found({}, {})


def _folders(missing: Set[Place]) -> set[Place]:
    """Return those of ``missing`` that are folders, and for one alone the folders on its way."""
    places = set(missing)
    if len(places) == 1:
        (place,) = places
        places |= set(_on_the_way(place))
    places = {place for place in places if _can_exist(place[1])}
    return File.objects.all().folders_among(list(places)) if places else set()


def _on_the_way(place: Place) -> list[Place]:
    """Return the folders of ``place``, the outermost first; none if it is far too long."""
    owner, path = place
    is_walkable = len(path) <= paths.MAX_CHARACTERS and path.count("/") < paths.MAX_ELEMENTS
    return [(owner, folder) for folder in paths.folders(path)] if is_walkable else []


def _with_element(
    file_uris: Sequence[FileURI],
    places: Sequence[Place | None],
    targets: list[File | URIError],
    folders: Set[Place],
    requester: Requester,
) -> list[File | URIError]:
    """Return ``targets``; a single failure names the element at which its path ended.

    Only a single failure shows it: among several it is not shown, and it costs a statement.
    """
    failed = {
        uri.canonical: n for n, uri in enumerate(file_uris) if isinstance(targets[n], URIError)
    }
    if len(failed) != 1:
        return targets
    (position,) = failed.values()
    error, place = targets[position], places[position]
    if place is None or not isinstance(error, PathNotExist):
        return targets
    named = PathNotExist(element=_end_of_walk(place, folders, requester))
    return [named if isinstance(target, URIError) else target for target in targets]


def _end_of_walk(place: Place, folders: Set[Place], requester: Requester) -> str:
    on_the_way = _on_the_way(place)
    files = _find(on_the_way, requester).files
    not_there = (step for step in on_the_way if step not in folders and step not in files)
    return paths.name(next(not_there, place)[1])
