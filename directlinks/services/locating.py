"""From file URIs to the files that they name, for somebody who wants links to them."""

from collections.abc import Iterable, Sequence, Set
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError

from directlinks.core import paths
from directlinks.core.errors import (
    ActionNotSupported,
    EntityNotExist,
    ForeignSpace,
    NotOwner,
    PathNotExist,
    ShareNotFound,
    UnknownFileSystem,
    URIError,
)
from directlinks.core.uris import FileURI
from directlinks.models import File
from directlinks.policies import Policy
from directlinks.storage import lacks_bytes

# A path in the space of an owner, who is given by the primary key.
Place = tuple[Any, str]


def locate(
    asked: Sequence[FileURI], *, user: Any, policy: Policy
) -> dict[FileURI, File | URIError]:
    """The file that each URI names, or why ``user`` can have no link to it.

    At most four statements, whatever the number of URIs: the owners, where a URI names another
    user; the files; which of the missing ones are folders; and, where one URI is the only one to
    fail, the files on the way to it.
    """
    targets: dict[FileURI, File | URIError] = {}
    for uri in asked:
        if (error := _fault_of_file_system(uri)) is not None:
            targets[uri] = error
    inside = [uri for uri in dict.fromkeys(asked) if uri not in targets]
    owners = _owners(user, {uri.user for uri in inside})
    places = {uri: (owners[uri.user].pk, uri.path) for uri in inside if uri.user in owners}

    found = _files(places.values())
    files: dict[FileURI, File] = {}
    for uri, place in places.items():
        files[uri] = found.get(place) or File(path=uri.path)
        # The policy may look at the owner: it is at hand, and must not be fetched for each file.
        files[uri].owner = owners[uri.user]
    allowed = {uri: policy.allows(user, file) for uri, file in files.items()}
    # Nothing more is asked about a stranger's space: the work would tell what is there.
    missing = {
        place
        for uri, place in places.items()
        if place not in found
        and _can_exist(uri.path)
        and (allowed[uri] or _is_own(files[uri], user))
    }
    folders = _folders(missing)
    for uri in inside:
        if uri not in places:
            targets[uri] = PathNotExist(cause="invalid user id")
            continue
        file, is_folder = files[uri], not uri.path or places[uri] in folders
        refusal = _refusal(file, is_folder=is_folder, allowed=allowed[uri], user=user)
        targets[uri] = refusal or file
    return _with_element(asked, targets, places, folders)


def _is_own(file: File, user: Any) -> bool:
    return bool(file.owner_id == user.pk)


def _fault_of_file_system(uri: FileURI) -> URIError | None:
    match uri.fs:
        case "my":
            return None
        case "trash":
            return ActionNotSupported()
        case "share":
            return ShareNotFound()
        case "shared_with_me":
            return PathNotExist(cause=f'invalid Path "{uri.canonical}"')
        case _:
            return UnknownFileSystem(uri.fs)


def _owners(user: Any, names: Iterable[str | None]) -> dict[str | None, Any]:
    """The user behind each user part; None and the user's own key stand for ``user``."""
    owners: dict[str | None, Any] = {None: user, str(user.pk): user}
    keys = [
        key for name in names if name is not None and name not in owners
        for key in _user_keys(name)
    ]  # fmt: skip
    if keys:
        for owner in get_user_model()._default_manager.filter(pk__in=keys):
            owners[str(owner.pk)] = owner
    return owners


def _user_keys(name: str) -> list[Any]:
    """The primary key that is written ``name``, or nothing: ``01`` is another name than ``1``."""
    field = get_user_model()._meta.pk
    try:
        key = field.to_python(name)
        field.run_validators(key)
    except (ValidationError, ValueError):
        return []
    return [key] if str(key) == name and name.isprintable() else []


def _can_exist(path: str) -> bool:
    return paths.fault(path) is None


def _files(places: Iterable[Place]) -> dict[Place, File]:
    wanted = {(owner, path) for owner, path in places if _can_exist(path)}
    if not wanted:
        return {}
    files = {(file.owner_id, file.path): file for file in File.objects.at(wanted)}
    return {place: file for place, file in files.items() if place in wanted}


def _folders(missing: Set[Place]) -> set[Place]:
    """Those of ``missing`` that are folders; for a single one also the folders on the way to it."""
    asked = set(missing)
    if len(asked) == 1:
        ((owner, path),) = asked
        asked |= {(owner, folder) for folder in paths.folders(path)}
    return File.objects.folders_among(list(asked)) if asked else set()


def _refusal(file: File, *, is_folder: bool, allowed: bool, user: Any) -> URIError | None:
    exists = file.pk is not None
    if not allowed and not _is_own(file, user):
        return ForeignSpace()
    if not exists and not is_folder:
        return PathNotExist(element=paths.name(file.path))
    if not allowed:
        return NotOwner()
    if not exists or lacks_bytes(file.content):
        return EntityNotExist()
    return None


def _with_element(
    asked: Sequence[FileURI],
    targets: dict[FileURI, File | URIError],
    places: dict[FileURI, Place],
    folders: set[Place],
) -> dict[FileURI, File | URIError]:
    """``targets``, in which a single failure names the element at which its walk really ended.

    Only a single failure shows it: among several, nobody reads it, and it costs a statement.
    """
    failed = {uri.canonical: uri for uri in asked if isinstance(targets[uri], URIError)}
    if len(failed) != 1:
        return targets
    (uri,) = failed.values()
    error = targets[uri]
    if isinstance(error, PathNotExist) and error.element is not None and _can_exist(uri.path):
        owner, path = places[uri]
        on_the_way = paths.folders(path)
        files = _files((owner, folder) for folder in on_the_way)
        for folder in on_the_way:
            if (owner, folder) not in folders and (owner, folder) not in files:
                targets[uri] = PathNotExist(element=paths.name(folder))
                break
    return targets
