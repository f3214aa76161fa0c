"""Finding the files of a batch with their links, and making the links that are missing.

One statement each, whatever the number of files. The ORM needs one more, compiles them anew for
each batch, and takes as many INSERTs as SQLite's limit of parameters demands. ``plain_batches.py``
says the same through the ORM; the tests compare them.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from directlinks.core import paths
from directlinks.sql.batch_texts import FILE_FIELDS, LINK_FIELDS, MOMENTS, BatchTexts, shared_fields
from directlinks.sql.instances import Instances

Place = tuple[Any, str]
"""The primary key of an owner, and a path without fault."""

# So many files are read with their moments.
_FEW = 10

# A reusable link has no limit: a constraint of its table says so.
UNLIMITED: Mapping[str, Any] = {
    "not_before": None,
    "expires_at": None,
    "max_downloads": None,
    "paused": False,
    "password": "",
    "referers": "",
    "revoked_at": None,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """New links: one for each of ``files``, with the code in the same place of ``codes``.

    ``files`` are in the order of their keys, in which rows are locked and written. ``shared`` are
    further values, the same for all. ``code_may_be_used`` where there are so few codes that one of
    them may have been a link's before.
    """

    files: Sequence[Any]
    codes: Sequence[str]
    shared: Mapping[str, Any]
    code_may_be_used: bool


class Batches(ABC):
    """What a batch asks of the tables."""

    @abstractmethod
    def find(self, places: Sequence[Place]) -> list[Any]:
        """The live files at ``places``, each with the list ``reusable_links``.

        Of many files the moments are deferred: reading them would take as long as all the rest.
        """

    @abstractmethod
    def make(self, wanted: Wanted) -> list[Any]:
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
        file = model._meta.get_field("file").related_model
        self.owner = file._meta.get_field("owner")
        self.files = Instances(file, connection, FILE_FIELDS, {"deleted_at": None})
        self.whole_files = Instances(
            file, connection, (*FILE_FIELDS, *MOMENTS), {"deleted_at": None}
        )
        self.links = Instances(model, connection, LINK_FIELDS, UNLIMITED)

    def find(self, places: Sequence[Place]) -> list[Any]:
        if not places:
            return []
        whole = len(places) <= _FEW
        rows = self._rows(self.texts.find_whole if whole else self.texts.find, self._asked(places))
        instances = self.whole_files if whole else self.files
        file_of, link_of, width = instances.of, self.links.of, len(instances.names)
        files: dict[Any, Any] = {}
        for row in rows:
            file = files.get(row[0])
            if file is None:
                file = files[row[0]] = file_of(row[:width])
                file.stored_path = file.path
                file.reusable_links = []
            if row[width] is not None:
                file.reusable_links.append(link_of(row[width:]))
        return list(files.values())

    def make(self, wanted: Wanted) -> list[Any]:
        if not wanted.files:
            return []
        pattern = self.model(**wanted.shared)
        shared = {field: field.pre_save(pattern, add=True) for field in shared_fields(self.model)}
        text = self.texts.make_unused if wanted.code_may_be_used else self.texts.make
        values = [field.get_db_prep_save(value, self.connection) for field, value in shared.items()]
        made = self._rows(text, [*values, *self._new(wanted)])
        known = {field.attname: value for field, value in shared.items()}
        new = Instances(self.model, self.connection, LINK_FIELDS, known)
        files = {file.pk: file for file in wanted.files}
        return [self._made(new, files[file], key, code) for file, key, code in made]

    @staticmethod
    def _made(new: Instances, file: Any, key: Any, code: str) -> Any:
        return new.of((key, file.pk, code, file.name, file.name))

    def _rows(self, text: str, parameters: Sequence[Any]) -> list[Any]:
        with self.connection.cursor() as cursor:
            cursor.execute(text, parameters)
            return cursor.fetchall() if cursor.description else []

    def _spaces(self, places: Sequence[Place]) -> dict[Any, list[str]]:
        """The path keys that are asked of each owner, in the database's spelling."""
        spaces: dict[Any, list[str]] = {}
        for owner, path in places:
            spaces.setdefault(owner, []).append(paths.key(path))
        written = self.owner.get_db_prep_value
        return {written(owner, self.connection): keys for owner, keys in spaces.items()}

    def _asked(self, places: Sequence[Place]) -> list[Any]:
        return [json.dumps(list(self._spaces(places).items()))]

    def _new(self, wanted: Wanted) -> list[Any]:
        pairs = zip(wanted.files, wanted.codes, strict=True)
        return [json.dumps([(file.pk, code, file.name) for file, code in pairs])]


class SQLiteBatches(WrittenBatches):
    def _asked(self, places: Sequence[Place]) -> list[Any]:
        return [json.dumps(self._spaces(places))]


class PostgreSQLBatches(WrittenBatches):
    def _asked(self, places: Sequence[Place]) -> list[Any]:
        spaces = self._spaces(places)
        owners = [owner for owner, keys in spaces.items() for _ in keys]
        return [owners, [key for keys in spaces.values() for key in keys]]

    def _new(self, wanted: Wanted) -> list[Any]:
        files = wanted.files
        return [[file.pk for file in files], list(wanted.codes), [file.name for file in files]]
