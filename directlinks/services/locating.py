"""From file URIs to the files that they name, for somebody who wants links to them."""

from collections.abc import Callable, Iterable, Sequence, Set
from functools import partial
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import router

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
from directlinks.models import DirectLink, File
from directlinks.policies import Policy
from directlinks.sql.choice import batches_of
from directlinks.storage import lacking_bytes

# A path in the space of an owner, who is given by the primary key.
Place = tuple[Any, str]

_OWNER: Any = File._meta.get_field("owner")
_CONTENT: Any = File._meta.get_field("content")


def locate(
    asked: Sequence[FileURI], *, user: Any, policy: Policy
) -> dict[FileURI, File | URIError]:
    """The file that each URI names, or why ``user`` can have no link to it.

    Each file has its owner at hand, and the links that may be given again as the list
    ``reusable_links``. At most four statements, whatever the number of URIs: the owners, where a
    URI names another user; the files with these links; which of the missing ones are folders; and,
    where one URI is the only one to fail, the files on the way to it. All are asked of the database
    that is written to.
    """
    targets: dict[FileURI, File | URIError] = {}
    inside: list[FileURI] = []
    for uri in dict.fromkeys(asked):
        if (error := _fault_of_file_system(uri)) is None:
            inside.append(uri)
        else:
            targets[uri] = error
    owners = _owners(user, {uri.user for uri in inside})
    keys = {name: owner.pk for name, owner in owners.items()}
    places = [(keys[uri.user], uri.path) if uri.user in keys else None for uri in inside]
    found = _files(place for place in places if place is not None)

    refuses = partial(_refusal, user=user, lacks_bytes=lacking_bytes(_CONTENT.storage))
    absent: list[tuple[FileURI, Place, File, bool]] = []
    for uri, place in zip(inside, places, strict=True):
        if place is None:
            targets[uri] = PathNotExist(cause="invalid user id")
            continue
        is_there = place in found
        file = found[place] if is_there else File(owner_id=place[0], path=place[1])
        # The policy may look at the owner: it is at hand, and must not be fetched for each file.
        _OWNER.set_cached_value(file, owners[uri.user])
        allowed = policy.allows(user, file)
        if is_there:
            targets[uri] = refuses(file, allowed=allowed) or file
        else:
            absent.append((uri, place, file, allowed))

    # Nothing more is asked about a stranger's space: the work would tell what is there.
    folders = _folders(
        {
            place
            for _, place, file, allowed in absent
            if _can_exist(place[1]) and (allowed or _is_own(file, user))
        }
    )
    for uri, place, file, allowed in absent:
        is_folder = not place[1] or place in folders
        targets[uri] = refuses(file, allowed=allowed, is_folder=is_folder) or file
    return _with_element(asked, targets, keys, folders)


def _is_own(file: File, user: Any) -> bool:
    return bool(file.owner_id == user.pk)


def _content_name(file: File) -> str:
    """What ``str(file.content)`` says, without the object that Django would make around it."""
    return str(vars(file)["content"])


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
        for key in user_keys(name)
    ]  # fmt: skip
    if keys:
        users = get_user_model()._default_manager
        for owner in users.using(router.db_for_write(users.model)).filter(pk__in=keys):
            owners[str(owner.pk)] = owner
    return owners


def user_keys(name: str) -> list[Any]:
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
    wanted = [place for place in dict.fromkeys(places) if _can_exist(place[1])]
    found = batches_of(DirectLink).find(wanted) if wanted else []
    return {(file.owner_id, file.path): file for file in found}


def _folders(missing: Set[Place]) -> set[Place]:
    """Those of ``missing`` that are folders; for a single one also the folders on the way to it."""
    asked = set(missing)
    if len(asked) == 1:
        ((owner, path),) = asked
        asked |= {(owner, folder) for folder in paths.folders(path)}
    if not asked:
        return set()
    files = File.objects.using(router.db_for_write(File))
    return files.folders_among(list(asked))


def _refusal(
    file: File,
    *,
    allowed: bool,
    user: Any,
    lacks_bytes: Callable[[str], bool],
    is_folder: bool = False,
) -> URIError | None:
    exists = file.pk is not None
    if not allowed and not _is_own(file, user):
        return ForeignSpace()
    if not exists and not is_folder:
        return PathNotExist(element=paths.name(file.path))
    if not allowed:
        return NotOwner()
    if not exists or lacks_bytes(_content_name(file)):
        return EntityNotExist()
    return None


def _with_element(
    asked: Sequence[FileURI],
    targets: dict[FileURI, File | URIError],
    keys: dict[str | None, Any],
    folders: set[Place],
) -> dict[FileURI, File | URIError]:
    """``targets``, in which a single failure names the element at which its walk really ended.

    Only a single failure shows it: among several, nobody reads it, and it costs a statement.
    """
    if not any(isinstance(target, URIError) for target in targets.values()):
        return targets
    failed = {uri.canonical: uri for uri in asked if isinstance(targets[uri], URIError)}
    if len(failed) != 1:
        return targets
    (uri,) = failed.values()
    error = targets[uri]
    if isinstance(error, PathNotExist) and error.element is not None and _can_exist(uri.path):
        owner = keys[uri.user]
        on_the_way = paths.folders(uri.path)
        files = _files((owner, folder) for folder in on_the_way)
        for folder in on_the_way:
            if (owner, folder) not in folders and (owner, folder) not in files:
                targets[uri] = PathNotExist(element=paths.name(folder))
                break
    return targets
