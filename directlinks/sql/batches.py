"""Finding the files of a batch with their links, and making the links that are missing.

One statement each for any number of files. The ORM needs one more, compiles them anew for
each batch, and takes as many INSERTs as SQLite's limit of parameters demands. ``plain_batches.py``
says the same through the ORM; the tests compare them.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from directlinks.core import paths
from directlinks.core.links import UNLIMITED
from directlinks.sql.batch_texts import RARE_FIELDS, BatchTexts, shared_fields
from directlinks.sql.instances import reader, stored

Place = tuple[Any, str]
"""The primary key of an owner, and a path without fault."""

# Up to this number of files are read with RARE_FIELDS.
_FEW = 10


@dataclass(frozen=True, slots=True)
class NewLinks:
    """New links: one for each of ``files``, with the code in the same place of ``codes``.

    ``files`` are in the order of their keys, in which rows are locked and written. ``shared`` are
    further values, the same for all. ``code_may_be_used`` where there are so few codes that one of
    them may have been a link's before.
    """

    files: Sequence[Any]
    codes: Sequence[str]
    shared: Mapping[str, Any]
    code_may_be_used: bool


class LinkAtHand(NamedTuple):
    """What an answer says of a link that may be given again; most are never asked for more.

    ``file`` is an instance, and ``instance`` makes one of the link.
    """

    id: int
    code: str
    name: str
    file: Any
    using: str

    def instance(self, model: Any, others: Mapping[str, Any] = UNLIMITED) -> Any:
        """The same of ``model``, the class DirectLink, without a query; ``others`` are columns."""
        columns = {
            "id": self.id,
            "file_id": self.file.id,
            "code": self.code,
            "name": self.name,
            "reuse_name": self.name,
            **others,
        }
        return stored(model, self.using, columns, file=self.file)


class Found(NamedTuple):
    """Live files by their places, and the link of each that may be given again, by the file's key.

    Each file has its owner at hand.
    """

    files: dict[Place, Any]
    links: dict[int, LinkAtHand]


def by_nfc(places: Iterable[Place]) -> dict[Place, list[Place]]:
    """Return the spellings among ``places`` of each, by the one under NFC."""
    spellings: dict[Place, list[Place]] = {}
    for place in places:
        spellings.setdefault((place[0], paths.nfc(place[1])), []).append(place)
    return spellings


class Batches(ABC):
    """What a batch asks of the tables."""

    @abstractmethod
    def find(self, places: Collection[Place], owners: Mapping[Any, Any]) -> Found:
        """Return what is at ``places``, in any spelling; ``owners`` are the users by their keys.

        Of many files RARE_FIELDS are deferred: reading them would take as long as all the rest.
        """

    @abstractmethod
    def make(self, wanted: NewLinks) -> list[Any]:
        """Make reusable links, and return them as far as the database says which were made.

        No link is made where its file has one of that name already, is trashed or gone, or where
        its code is taken. May raise IntegrityError or OperationalError where others are at work on
        the same files; then nothing was made.
        """


class WrittenBatches(Batches):
    """The statements in ``texts``; ``model`` is the class DirectLink."""

    def __init__(self, connection: BaseDatabaseWrapper, model: Any, texts: BatchTexts) -> None:
        self.connection = connection
        self.model = model
        self.texts = texts
        self.file_model = model._meta.get_field("file").related_model
        self.owner = self.file_model._meta.get_field("owner")

    def find(self, places: Collection[Place], owners: Mapping[Any, Any]) -> Found:
        files, links = found = Found({}, {})
        if not places:
            return found
        text = self.texts.find_whole if len(places) <= _FEW else self.texts.find
        owner_of = reader(self.owner, self.connection)
        spellings = by_nfc(places)
        for row in self._rows(text, self._asked(places)):
            key, owner, path, content, alias, size, content_type, link, code, name, *rare = row
            owner_id = owner_of(owner)
            asked = spellings.get((owner_id, paths.nfc(path)))
            if asked is None:  # its digest is that of another path
                continue
            file = files.get(asked[0])
            if file is None:
                columns = {
                    "id": key,
                    "owner_id": owner_id,
                    "path": path,
                    "stored_path": path,
                    "content": content,
                    "storage_alias": alias,
                    "size": size,
                    "content_type": content_type,
                    "deleted_at": None,
                }
                if rare:
                    columns.update(self._rare(rare))
                file = stored(
                    self.file_model, self.connection.alias, columns, owner=owners[owner_id]
                )
                files.update(dict.fromkeys(asked, file))
            # A file that was renamed has links of its former names.
            if link is not None and name == paths.name(path):
                links[key] = LinkAtHand(link, code, name, file, self.connection.alias)
        return found

    def make(self, wanted: NewLinks) -> list[Any]:
        if not wanted.files:
            return []
        pattern = self.model(**wanted.shared)
        shared = {field: field.pre_save(pattern, add=True) for field in shared_fields(self.model)}
        text = self.texts.make_unused if wanted.code_may_be_used else self.texts.make
        values = [field.get_db_prep_save(value, self.connection) for field, value in shared.items()]
        made = self._rows(text, [*values, *self._new(wanted)])
        known = {field.attname: value for field, value in shared.items()}
        files = {file.id: file for file in wanted.files}
        using = self.connection.alias
        return [
            LinkAtHand(key, code, files[file].name, files[file], using).instance(self.model, known)
            for file, key, code in made
        ]

    def _rare(self, values: Sequence[Any]) -> dict[str, Any]:
        fields = [self.file_model._meta.get_field(name) for name in RARE_FIELDS]
        pairs = zip(fields, values, strict=True)
        return {field.attname: reader(field, self.connection)(value) for field, value in pairs}

    def _rows(self, text: str, parameters: Sequence[Any]) -> list[Any]:
        with self.connection.cursor() as cursor:
            cursor.execute(text, parameters)
            return cursor.fetchall() if cursor.description else []

    def _spaces(self, places: Collection[Place]) -> dict[Any, list[str]]:
        """The path keys that are asked of each owner, in the database's spelling."""
        spaces: dict[Any, list[str]] = {}
        for owner, path in places:
            spaces.setdefault(owner, []).append(paths.key(path))
        written = self.owner.get_db_prep_value
        return {written(owner, self.connection): keys for owner, keys in spaces.items()}

    def _asked(self, places: Collection[Place]) -> list[Any]:
        return [json.dumps(list(self._spaces(places).items()))]

    def _new(self, wanted: NewLinks) -> list[Any]:
        pairs = zip(wanted.files, wanted.codes, strict=True)
        return [json.dumps([(file.id, code, file.name) for file, code in pairs])]


class SQLiteBatches(WrittenBatches):
    def _asked(self, places: Collection[Place]) -> list[Any]:
        return [json.dumps(self._spaces(places))]


class PostgreSQLBatches(WrittenBatches):
    def _asked(self, places: Collection[Place]) -> list[Any]:
        spaces = self._spaces(places)
        return [list(spaces), [" ".join(keys) for keys in spaces.values()]]

    def _new(self, wanted: NewLinks) -> list[Any]:
        files = wanted.files
        columns = [[str(file.id) for file in files], wanted.codes, [file.name for file in files]]
        return ["/".join(column) for column in columns]
