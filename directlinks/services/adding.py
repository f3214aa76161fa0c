"""Getting files in: by copying local ones, or by taking over what a storage holds already."""

from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from django.core.files.base import File as DjangoFile
from django.core.files.storage import Storage

from directlinks.core import content_types
from directlinks.core.errors import LinkNotFound
from directlinks.delivery.reading import open_content
from directlinks.models import File, validate_path
from directlinks.storage import OWN_FOLDER, has_local_paths


class Outcome(Enum):
    ADDED = "added"
    REPLACED = "replaced"
    KEPT = "there already"


@dataclass(frozen=True, slots=True)
class Source:
    """A file to add: where its bytes are, and the path that it is to have in its owner's space."""

    place: str
    path: str


def local_sources(place: Path, into: str = "") -> Iterator[Source]:
    """The file at ``place``, or every file of the folder there, under the folder ``into``.

    A folder keeps its own name. Symbolic links in it are left out, because they may lead to what
    nobody meant to publish. Raises FileNotFoundError.
    """
    root = place.resolve(strict=True)
    if not root.is_dir():
        # The name that was given, also where it is a link to a file of another name.
        yield Source(str(root), _join(into, place.name))
        return
    for file in sorted(_files_below(root)):
        yield Source(str(file), _join(into, root.name, *file.relative_to(root).parts))


def stored_sources(storage: Storage, name: str, into: str = "") -> Iterator[Source]:
    """The content called ``name`` in ``storage``, or every one in the folder of that name.

    "." is the whole storage; the contents that this app stored itself are left out. Raises
    FileNotFoundError, and SuspiciousFileOperation where ``name`` leads out of the storage.
    """
    name = "" if name == "." else name.strip("/")
    if not _is_stored_folder(storage, name):
        if not storage.exists(name):
            raise FileNotFoundError(
                f"The storage has nothing of the name {name!r}, which counts from its root."
            )
        yield Source(name, _join(into, name))
        return
    folders, files = storage.listdir(name)
    for file in sorted(files):
        yield Source(_join(name, file), _join(into, name, file))
    for folder in sorted(folders):
        if _join(name, folder) != OWN_FOLDER:
            yield from stored_sources(storage, _join(name, folder), into)


def add_file(
    *, owner: Any, source: Source, adopt: bool, replace: bool, dry_run: bool = False
) -> Outcome:
    """Add one file to ``owner``'s space; what is at its path already stays, unless ``replace``.

    With ``adopt`` the row points at the bytes where they lie, else they are copied. The row is
    written after the bytes, so an interrupted run leaves no half file and can be run again. Raises
    ValidationError where the path cannot be stored, and OSError.
    """
    validate_path(source.path)
    existing = File.objects.at([(owner.pk, source.path)]).first()
    if existing is not None and not replace:
        return Outcome.KEPT
    if not dry_run:
        file = existing or File(owner=owner, path=source.path)
        if adopt:
            file.content = source.place
            file.save()
            _find_charset(file)
        else:
            with Path(source.place).open("rb") as local:
                file.content = DjangoFile(local, name=file.name)
                file.save()
    return Outcome.ADDED if existing is None else Outcome.REPLACED


def _find_charset(file: File) -> None:
    """Complete the type of a text in a remote storage, which saving it did not read."""
    storage = file.content.storage
    if has_local_paths(storage) or not content_types.is_text_without_charset(file.content_type):
        return
    with suppress(LinkNotFound):  # it was removed since: visitors and the doctor are told
        content = open_content(storage, str(file.content))
        length = min(content.size, content_types.SAMPLE_BYTES)
        with closing(content.part(0, length)) as part:
            file.content_type = content_types.with_charset(file.content_type, part.read(length))
    file.save(update_fields=["content_type"])


def _join(*names: str) -> str:
    return "/".join(name.strip("/") for name in names if name.strip("/"))


def _files_below(folder: Path) -> Iterator[Path]:
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            yield from _files_below(entry)
        elif entry.is_file() and not entry.is_symlink():
            yield entry


def _is_stored_folder(storage: Storage, name: str) -> bool:
    if has_local_paths(storage):
        return Path(storage.path(name)).is_dir()
    # Elsewhere a folder is a name that others begin with.
    return any(storage.listdir(name))
