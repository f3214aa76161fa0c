"""Finding the files of a batch with their links, and making the links that are missing.

One statement each for any number of files. The ORM needs one more, compiles them anew for
each batch, and takes as many INSERTs as SQLite's limit of parameters demands. ``orm.py``
says the same through the ORM; the tests compare them.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, IntegerField, Model
from django.db.models.base import ModelState

from directlinks.core import paths
from directlinks.core.links import UNLIMITED
from directlinks.models import DirectLink, File, FormerCode

Stored = TypeVar("Stored", bound=Model)


def stored(model: type[Stored], using: str, columns: dict[str, Any], **related: Model) -> Stored:
    """Return an instance of ``model`` as it came from the database with the alias ``using``.

    It is made like an unpickled one: without ``__init__`` and its signals, which take five times as
    long as the rest. What is not in ``columns`` is deferred; ``related`` are instances by the names
    of the fields that lead to them.
    """
    instance = model.__new__(model)
    state = columns["_state"] = ModelState()
    state.db = using
    state.adding = False
    state.fields_cache = related
    instance.__dict__ = columns
    return instance


def reader(field: "Field[Any, Any]", connection: BaseDatabaseWrapper) -> Callable[[Any], Any]:
    """Return a function that converts what the driver returns for ``field``, as the ORM does."""
    column = field.get_col(field.model._meta.db_table)
    convert = [*connection.ops.get_db_converters(column), *column.get_db_converters(connection)]

    def read(value: Any) -> Any:
        for conversion in convert:
            value = conversion(value, column, connection)
        return value

    return read


FILE_FIELDS = ("id", "owner", "path", "content", "storage_alias", "size", "content_type")
LINK_FIELDS = ("id", "code", "name")
RARE_FIELDS = ("version", "created_at", "updated_at", "content_updated_at")

# What differs from link to link in a batch; all else is the same in each new one.
OWN_FIELDS = ("file", "code", "name", "reuse_name")


@dataclass(frozen=True, slots=True)
class BatchStatements:
    """Statements with their parameters as ``%s``.

    ``fetch`` takes the places and returns FILE_FIELDS and LINK_FIELDS, these NULL if there is no
    link; ``fetch_whole`` returns RARE_FIELDS of the files as well. ``make`` takes the values that
    all new links share, then the links, and returns file, key and code of those that were made,
    where the database can. ``make_unused`` makes none with a code that a link had formerly.
    """

    fetch: str
    fetch_whole: str
    make: str
    make_unused: str


@dataclass(frozen=True, slots=True)
class Names:
    """Quoted names of tables and lists of columns, and the type of an owner's key."""

    file: str
    link: str
    former: str
    found: str
    found_whole: str
    new: str
    shared: "Sequence[Field[Any, Any]]"
    owner: Any

    @classmethod
    def of(cls, connection: BaseDatabaseWrapper) -> "Names":
        """Return the names behind ``connection``."""
        quote = connection.ops.quote_name
        file, link = File._meta, DirectLink._meta
        shared = shared_fields()
        files = [f"file.{quote(column)}" for column in _columns(File, FILE_FIELDS)]
        rare = [f"file.{quote(column)}" for column in _columns(File, RARE_FIELDS)]
        links = [f"link.{quote(column)}" for column in _columns(DirectLink, LINK_FIELDS)]
        new = _columns(DirectLink, [*OWN_FIELDS, *(field.name for field in shared)])
        return cls(
            file=quote(file.db_table),
            link=quote(link.db_table),
            former=quote(FormerCode._meta.db_table),
            found=", ".join(files + links),
            found_whole=", ".join(files + links + rare),
            new=", ".join(map(quote, new)),
            shared=shared,
            owner=file.get_field("owner"),
        )


def _columns(model: type[Model], names: Iterable[str]) -> list[str]:
    fields: list[Any] = [model._meta.get_field(name) for name in names]
    return [field.column for field in fields]


def shared_fields() -> "list[Field[Any, Any]]":
    """Return the fields that have one value in a batch of new links."""
    fields = DirectLink._meta.concrete_fields
    return [f for f in fields if not f.primary_key and f.name not in OWN_FIELDS]


def batch_statements(connection: BaseDatabaseWrapper) -> BatchStatements:
    """All statements, as the database behind ``connection`` spells them."""
    names = Names.of(connection)
    fetch, make = {
        "sqlite": (_fetch_sqlite, _make_sqlite),
        "postgresql": (_fetch_postgresql, _make_postgresql),
        "mysql": (_fetch_mysql, _make_mysql),
    }[connection.vendor]
    # Values of a document have the server's collation, in which "A" may be "a". A join, because
    # MariaDB would keep the answer of a subquery for "a" and give it for "A", in each collation.
    exact = ""
    if connection.vendor == "mysql":
        code = DirectLink._meta.get_field("code").db_parameters(connection)
        exact = f" COLLATE {code['collation']}"
    unused = f"""LEFT JOIN {names.former} former ON former.code = requested.code{exact}
        WHERE former.id IS NULL"""
    return BatchStatements(
        fetch=fetch(names, connection, names.found),
        fetch_whole=fetch(names, connection, names.found_whole),
        make=make(names, connection, "WHERE 1 = 1"),
        make_unused=make(names, connection, unused),
    )


# Every link that may be given again has a reuse_name, and a file has rarely more than one.
_REUSABLE = "link.file_id = file.id AND link.reuse_name IS NOT NULL"


def _fetch_sqlite(n: Names, connection: BaseDatabaseWrapper, columns: str) -> str:
    # {"owner": ["path key", …], …} is read once. CROSS JOIN keeps its order: each place is looked
    # up in the unique index (owner, path_key), each file in that of its links (file, reuse_name).
    return f"""
        SELECT {columns} FROM json_each(%s) space CROSS JOIN json_each(space.value) requested
        CROSS JOIN {n.file} file ON file.owner_id = space.key AND file.path_key = requested.value
        LEFT JOIN {n.link} link ON {_REUSABLE}"""  # noqa: S608


def _make_sqlite(n: Names, connection: BaseDatabaseWrapper, codes: str) -> str:
    # [[file, code, name], …] is read once, in the order of the files. Each is looked up by primary
    # key; the unique indexes over (file, reuse_name) and over the code decide which rows are new.
    # One statement needs no transaction around it, so it reads nothing before it may write.
    values = ", ".join(["%s"] * len(n.shared))
    return f"""
        INSERT INTO {n.link} ({n.new})
        SELECT file.id, requested.code, requested.name, requested.name, {values}
        FROM (SELECT json_extract(value, '$[0]') AS file, json_extract(value, '$[1]') AS code,
                json_extract(value, '$[2]') AS name FROM json_each(%s)) requested
        CROSS JOIN {n.file} file ON file.id = requested.file
        {codes} AND file.deleted_at IS NULL
        ON CONFLICT DO NOTHING RETURNING file_id, id, code"""  # noqa: S608


def _fetch_postgresql(n: Names, connection: BaseDatabaseWrapper, columns: str) -> str:
    # Owners side by side with their path keys, joined: psycopg takes ten times as long over an
    # array of them. LIMIT, as a unique index allows for no more than one, keeps the planner to
    # it: it would read and hash all files, of any owner, sooner than look up a thousand. So each
    # place is looked up in the index (owner, path_key), and each file in one of its links.
    return f"""
        SELECT {columns}
        FROM unnest(%s::{n.owner.db_type(connection)}[], %s::text[]) AS space (owner, path_keys)
        CROSS JOIN LATERAL unnest(string_to_array(space.path_keys, ' ')) AS requested (path_key)
        CROSS JOIN LATERAL (
            SELECT * FROM {n.file} file
            WHERE file.owner_id = space.owner AND file.path_key = requested.path_key LIMIT 1) file
        LEFT JOIN {n.link} link ON {_REUSABLE}"""  # noqa: S608


def _make_postgresql(n: Names, connection: BaseDatabaseWrapper, codes: str) -> str:
    # Keys, codes and names are joined by slashes, which none of them has. LIMIT as above: each file
    # is looked up by primary key, in the order of the array, and by nothing else: of a table that
    # was never analysed the planner would rather read the index of what is in the trash. The unique
    # indexes decide which rows are new. The lock keeps a file from being deleted before its link is
    # there, which the foreign key would refuse for the whole batch; it does not keep others from
    # changing the file.
    values = ", ".join(f"%s::{field.db_type(connection)}" for field in n.shared)
    return f"""
        INSERT INTO {n.link} ({n.new})
        SELECT file.id, requested.code, requested.name, requested.name, {values}
        FROM unnest(string_to_array(%s, '/')::bigint[], string_to_array(%s, '/'),
            string_to_array(%s, '/')) AS requested (file, code, name)
        CROSS JOIN LATERAL (
            SELECT id, deleted_at FROM {n.file} WHERE id = requested.file
            LIMIT 1 FOR KEY SHARE) file
        {codes} AND file.deleted_at IS NULL
        ON CONFLICT DO NOTHING RETURNING file_id, id, code"""  # noqa: S608


def _fetch_mysql(n: Names, connection: BaseDatabaseWrapper, columns: str) -> str:
    # [[owner, ["path key", …]], …] becomes a table in memory. STRAIGHT_JOIN keeps its order: each
    # place is looked up in the unique index (owner, path_key). From lists of a thousand keys the
    # optimizer would rather read all files of the owner.
    key = "BIGINT" if isinstance(n.owner.target_field, IntegerField) else "VARCHAR(255)"
    return f"""
        SELECT {columns}
        FROM JSON_TABLE(%s, '$[*]' COLUMNS (owner_key {key} PATH '$[0]',
            NESTED PATH '$[1][*]' COLUMNS (path_key CHAR(64) PATH '$'))) requested
        STRAIGHT_JOIN {n.file} file
            ON file.owner_id = requested.owner_key AND file.path_key = requested.path_key
        LEFT JOIN {n.link} link ON {_REUSABLE}"""  # noqa: S608


def _make_mysql(n: Names, connection: BaseDatabaseWrapper, codes: str) -> str:
    # [[file, code, name], …] becomes a table in memory, in the order of the files. Each is looked
    # up by primary key and locked before its link is written: a second transaction waits there, in
    # the same order. Without that lock, two who meet a third one's new row would share the lock of
    # its gap, and neither could go on. IGNORE leaves out what the unique indexes refuse, and would
    # store "?" for what the character set of the database cannot hold, were it not told another.
    values = ", ".join(["%s"] * len(n.shared))
    returning = (
        "RETURNING file_id, id, code"
        if connection.features.can_return_rows_from_bulk_insert
        else ""
    )
    return f"""
        INSERT IGNORE INTO {n.link} ({n.new})
        SELECT file.id, requested.code, requested.name, requested.name, {values}
        FROM JSON_TABLE(%s, '$[*]' COLUMNS (file BIGINT PATH '$[0]',
            code VARCHAR(64) CHARACTER SET utf8mb4 PATH '$[1]',
            name VARCHAR(255) CHARACTER SET utf8mb4 PATH '$[2]')) requested
        STRAIGHT_JOIN {n.file} file ON file.id = requested.file
        {codes} AND file.deleted_at IS NULL
        FOR UPDATE {returning}"""  # noqa: S608


Place = tuple[Any, str]
"""The primary key of an owner, and a path without fault."""

# Up to this number of files are read with RARE_FIELDS.
_FEW = 10


@dataclass(frozen=True, slots=True)
class NewLinks:
    """New links: one for each of ``files``, with the code in the same place of ``codes``.

    ``files`` are in the order of their keys, in which rows are locked and written. ``shared`` are
    further values, the same for all. ``code_may_be_used`` if there are so few codes that one of
    them may have been a link's before.
    """

    files: Sequence[File]
    codes: Sequence[str]
    shared: Mapping[str, Any]
    code_may_be_used: bool


class FoundLink(NamedTuple):
    """What an answer says of a link that may be given again; most are never asked for more.

    ``file`` is an instance, and ``instance`` makes one of the link.
    """

    id: int
    code: str
    name: str
    file: File
    using: str

    def instance(self, others: Mapping[str, Any] = UNLIMITED) -> DirectLink:
        """Return the same as a DirectLink, without a query; ``others`` are columns."""
        columns = {
            "id": self.id,
            "file_id": self.file.id,
            "code": self.code,
            "name": self.name,
            "reuse_name": self.name,
            **others,
        }
        return stored(DirectLink, self.using, columns, file=self.file)


class Found(NamedTuple):
    """Live files by their places, and the link of each that may be given again, by the file's key.

    Each file has its owner at hand.
    """

    files: dict[Place, File]
    links: dict[int, FoundLink]


def by_nfc(places: Iterable[Place]) -> dict[Place, list[Place]]:
    """Return the spellings among ``places`` of each, by the one under NFC."""
    spellings: dict[Place, list[Place]] = {}
    for place in places:
        spellings.setdefault((place[0], paths.nfc(place[1])), []).append(place)
    return spellings


class BatchQueries(ABC):
    """What a batch asks of the tables."""

    @abstractmethod
    def fetch(self, places: Collection[Place], owners: Mapping[Any, Any]) -> Found:
        """Return what is at ``places``, in any spelling; ``owners`` are the users by their keys.

        The owner of the site's own files is None, as is its key.
        Of many files RARE_FIELDS are deferred: reading them would take as long as all the rest.
        """

    @abstractmethod
    def make(self, wanted: NewLinks) -> list[DirectLink]:
        """Make reusable links, and return them as far as the database says which were made.

        No link is made if its file has one of that name already, is trashed or gone, or if its code
        is taken. May raise IntegrityError or OperationalError if others write to the same files;
        then nothing was made.
        """


class RawBatchQueries(BatchQueries):
    """The statements in ``texts``; ``plain`` finds the site's own files."""

    def __init__(
        self, connection: BaseDatabaseWrapper, texts: BatchStatements, plain: BatchQueries
    ) -> None:
        self.connection = connection
        self.texts = texts
        self.plain = plain
        self.owner = File._meta.get_field("owner")

    def fetch(self, places: Collection[Place], owners: Mapping[Any, Any]) -> Found:
        if not places:
            return Found({}, {})
        # They are few, and asked for by administrators.
        if of_site := [place for place in places if place[0] is None]:
            owned = self.fetch([place for place in places if place[0] is not None], owners)
            others = self.plain.fetch(of_site, owners)
            return Found(owned.files | others.files, owned.links | others.links)
        files, links = found = Found({}, {})
        text = self.texts.fetch_whole if len(places) <= _FEW else self.texts.fetch
        owner_of = reader(self.owner, self.connection)
        spellings = by_nfc(places)
        for row in self._rows(text, self._parameters_of(places)):
            key, owner, path, content, alias, size, content_type, link, code, name, *rare = row
            owner_id = owner_of(owner)
            given = spellings.get((owner_id, paths.nfc(path)))
            if given is None:  # its digest is that of another path
                continue
            file = files.get(given[0])
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
                file = stored(File, self.connection.alias, columns, owner=owners[owner_id])
                files.update(dict.fromkeys(given, file))
            # A file that was renamed has links of its former names.
            if link is not None and name == paths.name(path):
                links[key] = FoundLink(link, code, name, file, self.connection.alias)
        return found

    def make(self, wanted: NewLinks) -> list[DirectLink]:
        if not wanted.files:
            return []
        pattern = DirectLink(**wanted.shared)
        shared = {field: field.pre_save(pattern, add=True) for field in shared_fields()}
        text = self.texts.make_unused if wanted.code_may_be_used else self.texts.make
        values = [field.get_db_prep_save(value, self.connection) for field, value in shared.items()]
        made = self._rows(text, [*values, *self._new(wanted)])
        known = {field.attname: value for field, value in shared.items()}
        files = {file.id: file for file in wanted.files}
        using = self.connection.alias
        return [
            FoundLink(key, code, files[file].name, files[file], using).instance(known)
            for file, key, code in made
        ]

    def _rare(self, values: Sequence[Any]) -> dict[str, Any]:
        fields: list[Any] = [File._meta.get_field(name) for name in RARE_FIELDS]
        pairs = zip(fields, values, strict=True)
        return {field.attname: reader(field, self.connection)(value) for field, value in pairs}

    def _rows(self, text: str, parameters: Sequence[Any]) -> list[Any]:
        with self.connection.cursor() as cursor:
            cursor.execute(text, parameters)
            return cursor.fetchall() if cursor.description else []

    def _spaces(self, places: Collection[Place]) -> dict[Any, list[str]]:
        """Return the path keys requested of each owner, in the database's spelling."""
        spaces: dict[Any, list[str]] = {}
        for owner, path in places:
            spaces.setdefault(owner, []).append(paths.key(path))
        written = self.owner.get_db_prep_value
        return {written(owner, self.connection): keys for owner, keys in spaces.items()}

    def _parameters_of(self, places: Collection[Place]) -> list[Any]:
        return [json.dumps(list(self._spaces(places).items()))]

    def _new(self, wanted: NewLinks) -> list[Any]:
        pairs = zip(wanted.files, wanted.codes, strict=True)
        return [json.dumps([(file.id, code, file.name) for file, code in pairs])]


class SQLiteBatchQueries(RawBatchQueries):
    """Statements of SQLite."""

    def _parameters_of(self, places: Collection[Place]) -> list[Any]:
        return [json.dumps(self._spaces(places))]


class PostgreSQLBatchQueries(RawBatchQueries):
    """Statements of PostgreSQL."""

    def _parameters_of(self, places: Collection[Place]) -> list[Any]:
        spaces = self._spaces(places)
        return [list(spaces), [" ".join(keys) for keys in spaces.values()]]

    def _new(self, wanted: NewLinks) -> list[Any]:
        files = wanted.files
        columns = [[str(file.id) for file in files], wanted.codes, [file.name for file in files]]
        return ["/".join(column) for column in columns]
