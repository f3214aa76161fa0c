"""Every command, service, model method, API call and admin page beside a replica that stopped.

Each is run twice on the same rows: without a replica, and with one that knows nothing of what was
done since. What it says, writes and deletes must be the same; only what may lag shows former days.
A new command, service, method, call or action must get a case here, or a reason to have none.
"""

import importlib
import inspect
import io
import itertools
import json
import os
import pkgutil
import secrets
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import asdict, is_dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import time_machine
from django.apps import apps
from django.conf import settings
from django.contrib.admin import site as admin_site
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, get_commands
from django.db import models, transaction
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import reverse
from pytest_django.fixtures import Settings

import directlinks.services
from directlinks.api.urls import urlpatterns as api_routes
from directlinks.contrib.counters.deferred import Totals, flush_batch
from directlinks.core import codes, uris
from directlinks.core.envelope import Batch
from directlinks.core.links import LinkState
from directlinks.core.records import LinkRecord
from directlinks.core.visits import VisitRequest
from directlinks.counters.base import get_counter
from directlinks.datetimes import as_stored
from directlinks.models import (
    DailyDownloads,
    DirectLink,
    File,
    FlushedBatch,
    IdempotentRequest,
)
from directlinks.policies import OwnerOrAdmin
from directlinks.querysets import PrimaryQuerySet
from directlinks.services import (
    adding,
    changing,
    creating,
    diagnostics,
    following,
    history,
    idempotency,
    linking,
    listing,
    locating,
    mirrors,
    moving,
    opening,
    probing,
    pruning,
    revoking,
    statistics,
    syncing,
    transfer,
)
from directlinks.storage import content_storage
from directlinks.users import users
from tests.admin.pages import FILES, LINKS, NEW_FILE, page_of, run
from tests.api.clients import APIClient
from tests.factories import PASSWORD, DirectLinkFactory, FileFactory, UserFactory
from tests.frozen_replica import ROUTED, freeze, replica_database, thaw
from tests.hosts.invoices import LABEL, make_invoice, mirror_of, registered
from tests.hosts.models import Customer, Invoice
from tests.management.terminals import said

NOW = as_stored(datetime(2026, 5, 4, 12, tzinfo=UTC))
LONG_AGO = NOW - timedelta(days=400)
POLICY = OwnerOrAdmin()


class World(NamedTuple):
    """What a case may use beside the tables: a folder of its own, and browsers that are known."""

    folder: Path
    browser: Client


class Case(NamedTuple):
    subjects: tuple[str, ...]
    act: Callable[[World], Any]
    may_lag: bool


CASES: list[Case] = []


def case(*subjects: str, may_lag: bool = False) -> Callable[[Callable[[World], Any]], Any]:
    """Register an act on the ``subjects``, whose answer it returns."""

    def register(act: Callable[[World], Any]) -> Callable[[World], Any]:
        CASES.append(Case(subjects, act, may_lag))
        return act

    return register


# --- The rows, as the replica knows them and as they are ------------------------------------------


def user(name: str) -> Any:
    return users().get(username=name)


def file(path: str) -> File:
    return File.objects.get(path=path)


def link(code: str) -> DirectLink:
    return DirectLink.objects.get(code=code)


def links(*asked: str) -> list[DirectLink]:
    return list(DirectLink.objects.filter(code__in=asked).order_by("code"))


def settled() -> None:
    """What was there when the replica stopped."""
    ada = UserFactory(username="ada")
    UserFactory(username="boss", is_staff=True, is_superuser=True)
    UserFactory(username="leaver")
    Group.objects.create(name="guests")
    for path in ("kept.txt", "to-trash.txt", "to-rename.txt", "to-replace.txt", "to-delete.txt"):
        FileFactory(owner=ada, path=path)
    FileFactory(owner=ada, path="to-restore.txt").trash()
    for code, path, columns in (
        ("kept", "kept.txt", {"reuse_name": "kept.txt"}),
        ("trashed", "to-trash.txt", {}),
        ("hidden", "to-restore.txt", {}),
        ("renamed", "to-rename.txt", {"reuse_name": "to-rename.txt"}),
        ("deleted", "to-delete.txt", {}),
        ("to-revoke", "kept.txt", {"label": "press"}),
        ("to-pause", "kept.txt", {}),
        ("to-resume", "kept.txt", {"paused": True}),
        ("to-limit", "kept.txt", {}),
        ("to-rotate", "kept.txt", {}),
        ("to-label", "kept.txt", {}),
        ("to-expire", "kept.txt", {}),
        ("to-live", "kept.txt", {"expires_at": LONG_AGO}),
        ("to-open", "kept.txt", {"max_downloads": 1}),
    ):
        DirectLinkFactory(file=File.objects.get(path=path), code=code, **columns)
    for number in ("linked", "replaced", "given", "emptied", "gone"):
        of_ada = make_invoice(ada, number=number, id=uuid.uuid5(uuid.NAMESPACE_URL, number))
        name = mirror_of(of_ada).name
        DirectLinkFactory(file=mirror_of(of_ada), code=f"of-{number}", reuse_name=name)


def later() -> None:
    """What has happened since."""
    ada, now = user("ada"), LONG_AGO
    ada.groups.add(Group.objects.get(name="guests"))
    ada.set_password("new password")
    ada.save()
    get_user_model().objects.filter(username="leaver").update(is_active=False)
    eve = UserFactory(username="eve", email="eve@example.org")
    FileFactory(owner=eve, path="eve.txt")
    new = FileFactory(owner=ada, path="new.txt")
    DirectLinkFactory(file=new, code="new-one", reuse_name="new.txt", label="press")
    FileFactory(owner=ada, path="folder/deep.txt")
    file("to-trash.txt").trash()
    file("to-restore.txt").restore()
    file("to-delete.txt").delete()
    renamed = file("to-rename.txt")
    renamed.path = "renamed.txt"
    renamed.save()
    replaced = file("to-replace.txt")
    replaced.content = ContentFile(b"other bytes", name="other")
    replaced.save()
    revoking.revoke_all(links("to-revoke"), user=None, now=now)
    DirectLink.objects.filter(code="to-pause").update(paused=True)
    DirectLink.objects.filter(code="to-resume").update(paused=False)
    DirectLink.objects.filter(code="to-limit").update(max_downloads=5, note="of 5")
    DirectLink.objects.filter(code="to-label").update(label="press")
    DirectLink.objects.filter(code="to-expire").update(expires_at=now)
    DirectLink.objects.filter(code="to-live").update(expires_at=None)
    DirectLink.objects.filter(code="to-open").update(downloads=1, last_opened_at=now)
    changing.rotate_direct_link(link("to-rotate"), grace=None, user=ada, now=now)
    DirectLink.objects.filter(former_codes__code="to-rotate").update(code="rotated")
    DailyDownloads.objects.create(link=link("kept"), day=date(2026, 5, 3), downloads=3)
    DailyDownloads.objects.create(link=link("kept"), day=date(2020, 5, 3), downloads=3)
    objects = Invoice.objects
    objects.filter(number="replaced").update(pdf=invoice("linked").pdf.name)
    objects.filter(number="given").update(customer=Customer.objects.create(user=eve))
    objects.filter(number="emptied").update(pdf="")
    objects.filter(number="gone").delete()
    objects.bulk_create(
        [Invoice(number="new", id=uuid.UUID(int=1), pdf=invoice("linked").pdf.name)]
    )
    late = make_invoice(ada, number="late", id=uuid.UUID(int=2))
    DirectLinkFactory(file=mirror_of(late), code="of-late", reuse_name=mirror_of(late).name)
    IdempotentRequest.objects.create(user=ada, key="old", digest="0" * 64, created_at=now)
    FlushedBatch.objects.create(name="journal/a/0", flushed_at=now)


# --- Commands -------------------------------------------------------------------------------------


def command(*words: object, fails: bool = False) -> Any:
    out = io.StringIO()
    if not fails:
        return said(*map(str, words), into=out)
    with pytest.raises(CommandError) as failed:
        said(*map(str, words), into=out)
    return out.getvalue(), str(failed.value)


def a_tree(world: World) -> Path:
    tree = world.folder / "tree"
    tree.mkdir(exist_ok=True)
    for name in ("new.txt", "to-trash.txt", "fresh.txt"):
        (tree / name).write_text(name)
    return tree


@case("directlinks_add")
def add_again(world: World) -> Any:
    tree = a_tree(world)
    into = [(tree / name, "--into", "") for name in ("new.txt", "to-trash.txt", "fresh.txt")]
    return [command("directlinks_add", "ada", *words) for words in into]


@case("directlinks_add")
def add_for_a_new_user(world: World) -> Any:
    return command("directlinks_add", "eve", a_tree(world), "--replace")


@case("directlinks_add")
def adopt_again(world: World) -> Any:
    content_storage().save("lying/about.txt", ContentFile(b"x"))
    first = command("directlinks_add", "ada", "lying", "--adopt")
    return [first, command("directlinks_add", "ada", "lying", "--adopt", "--replace")]


@case("directlinks_create")
def create(world: World) -> Any:
    return [
        command("directlinks_create", "ada", "new.txt", "kept.txt", "renamed.txt"),
        command("directlinks_create", "ada", "to-trash.txt", fails=True),
        command("directlinks_create", "ada", "folder", fails=True),
        command("directlinks_create", "eve", "eve.txt", "--dedicated"),
        command("directlinks_create", "ada", "new.txt", "--dry-run"),
    ]


@case("directlinks_doctor")
def doctor(world: World) -> Any:
    content_storage().delete(str(file("new.txt").content))
    out = io.StringIO()
    with pytest.raises(SystemExit):
        said("directlinks_doctor", "--json", into=out)
    return json.loads(out.getvalue())


@case("directlinks_export")
def export(world: World) -> Any:
    return [command("directlinks_export"), command("directlinks_export", "--owner", "eve")]


@case("directlinks_flush_counts")
def fold(world: World) -> Any:
    return command("directlinks_flush_counts")


@case("directlinks_import")
def import_again(world: World) -> Any:
    rows = [
        {"code": "new-one", "owner": "ada", "path": "new.txt", "reusable": True},
        {"code": "eves", "owner": "eve", "path": "eve.txt", "created_by": "eve"},
        {"code": "to-rotate", "owner": "ada", "path": "kept.txt"},
        {"code": "late", "owner": "ada", "path": "to-trash.txt"},
        {"code": "more", "owner": "ada", "path": "to-restore.txt"},
    ]
    name = world.folder / "links.jsonl"
    name.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return [command("directlinks_import", name, fails=True) for _ in range(2)]


@case("directlinks_prune")
def prune(world: World) -> Any:
    return command("directlinks_prune", "--bytes", "--links", "--yes")


@case("directlinks_revoke")
def revoke(world: World) -> Any:
    return [
        command("directlinks_revoke", "--label", "press", "--yes"),
        command("directlinks_revoke", "rotated", "kept", "--yes"),
        command("directlinks_revoke", "to-rotate", "--yes", fails=True),
    ]


@case("directlinks_revoke")
def revoke_those_of_an_owner(world: World) -> Any:
    words = ("directlinks_revoke", "--owner", "ada", "--yes")
    return [command(*words, "--file", "renamed.txt"), command(*words)]


# --- Services -------------------------------------------------------------------------------------


@case("adding.add_file")
def add_file(world: World) -> Any:
    source = adding.Source(str(a_tree(world) / "new.txt"), "new.txt")
    asked = {"owner": user("ada"), "source": source, "adopt": False}
    return [adding.add_file(**asked, replace=replace) for replace in (False, True)]


@case("changing.change_direct_link")
def change(world: World) -> Any:
    one = listing.get_direct_link("to-limit")
    return changing.change_direct_link(one, {"label": "a"}, user=user("boss"), now=NOW)


@case("changing.change_direct_link", "limits.ceilings", "limits.apply_limits")
def change_beyond_the_limit_of_a_new_group(world: World) -> Any:
    one, asked = listing.get_direct_link("kept"), {"max_downloads": 99}
    return tried(changing.change_direct_link, one, asked, user=user("ada"), now=NOW)


@case("changing.rotate_direct_link")
def rotate(world: World) -> Any:
    one = listing.get_direct_link("rotated")
    return changing.rotate_direct_link(one, grace=None, user=user("boss"), now=NOW)


@case("changing.pause_direct_links")
def pause_many(world: World) -> Any:
    return changing.pause_direct_links(links("new-one", "to-pause", "kept"), user=user("boss"))


@case("changing.resume_direct_links")
def resume_many(world: World) -> Any:
    found = links("to-resume", "to-pause")
    return changing.resume_direct_links(found, user=user("boss"))


@case("changing.extend_direct_links")
def extend_many(world: World) -> Any:
    found, life = links("to-live", "to-expire"), timedelta(days=1)
    return changing.extend_direct_links(found, life=life, user=user("boss"), now=NOW)


@case("changing.rotate_direct_links", "creating.unique_codes")
def rotate_many(world: World) -> Any:
    found = links("new-one", "to-revoke", "rotated")
    return changing.rotate_direct_links(found, grace=None, user=user("boss"), now=NOW)


@case("creating.whole_links")
def read_whole_links(world: World) -> Any:
    texts = ["cloudreve://my/new.txt", "cloudreve://my/kept.txt"]
    batch = creating.create_direct_links(user=user("ada"), texts=texts, policy=POLICY)
    return creating.whole_links(batch.items)


@case("creating.create_direct_links", "limits.limits_of_new", "limits.is_reusable")
def create_links(world: World) -> Any:
    paths = ("new.txt", "kept.txt", "renamed.txt", "to-rename.txt", "to-trash.txt", "folder")
    texts = [f"cloudreve://my/{path}" for path in paths]
    asked: dict[str, Any] = {"texts": texts, "policy": POLICY}
    return [
        creating.create_direct_links(user=user("ada"), dry_run=True, **asked),
        creating.create_direct_links(user=user("ada"), **asked),
        creating.create_direct_links(user=user("ada"), limits={"label": "a"}, **asked),
    ]


@case("diagnostics.examine")
def examine(world: World) -> Any:
    return list(diagnostics.examine(now=NOW, unused_for=timedelta(0)))


@case("probing.probe")
def probe(world: World) -> Any:
    return list(probing.probe())


@case("transfer.export_links")
def export_links(world: World) -> Any:
    return list(transfer.export_links(DirectLink.objects.all()))


@case("listing.get_direct_link")
def find(world: World) -> Any:
    return [tried(listing.get_direct_link, code) for code in ("new-one", "to-revoke", "rotated")]


@case("listing.get_direct_link", may_lag=True)
def find_to_show(world: World) -> Any:
    return listing.get_direct_link("to-limit", may_lag=True).max_downloads


@case("creating.unique_codes")
def codes_that_are_free(world: World) -> Any:
    drawn = iter(("new-one", "to-rotate", "free"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(creating, "may_repeat", lambda *_: True)
        patched.setattr(creating, "new_codes", lambda number: [next(drawn)])
        return creating.unique_codes(1)


@case("history.remember")
def remember(world: World) -> Any:
    return history.remember(links("new-one"), ["paused"], user=user("eve"))


@case("transfer.look_up")
def look_up(world: World) -> Any:
    asked = [LinkRecord(code="new-one", owner="eve", path="eve.txt")]
    return asdict(transfer.look_up(asked))


@case("transfer.import_links")
def import_links(world: World) -> Any:
    record = LinkRecord(code="new-one", owner="ada", path="new.txt")
    return [list(transfer.import_links([(1, record)], now=NOW)) for _ in range(2)]


@case("creating.linkable_files", "creating.issue_links")
def issue(world: World) -> Any:
    paths = ["new.txt", "to-trash.txt", "renamed.txt", "folder"]
    ada = user("ada")
    found = creating.linkable_files(ada, paths)
    asked: dict[str, Any] = {"limited_as": None, "created_by": ada, "now": NOW}
    files = list(found.files.values())
    return [
        found.faults,
        creating.issue_links(files, limits={}, dedicated=False, **asked),
        creating.issue_links(files, limits={"label": "a"}, dedicated=True, **asked),
    ]


@case("listing.list_direct_links", may_lag=True)
def list_links(world: World) -> Any:
    filters, order = listing.LinkFilters(), listing.Order("name")
    asked: dict[str, Any] = {"filters": filters, "order": order, "size": 50, "token": None}
    page = listing.list_direct_links(user=user("boss"), policy=POLICY, now=NOW, **asked)
    return [one.code for one in page.links]


@case("listing.folder_at")
def folder(world: World) -> Any:
    return [listing.folder_at(user("ada").pk, path) for path in ("folder", "gone")]


@case("listing.links_of")
def links_of(world: World) -> Any:
    return [listing.links_of(file(path)) for path in ("new.txt", "kept.txt")]


@case("locating.locate")
def locate(world: World) -> Any:
    eve = user("eve")
    texts = [f"cloudreve://{eve.pk}@my/eve.txt", "cloudreve://my/new.txt", "cloudreve://my/folder"]
    asked = [uris.parse(text) for text in texts]
    return locating.locate(asked, user=user("boss"), policy=POLICY).targets


class Door:
    counts_first = True

    def __call__(self, download: Any) -> HttpResponse:
        return HttpResponse(status=302)


@case(
    "opening.open_direct_link",
    "opening.claim",
    "opening.fetch_open_link",
    "opening.count",
    "opening.describe",
    "opening.deliver_counted",
)
def open_link(world: World) -> Any:
    names = {"new-one": "new.txt", "renamed": "to-rename.txt"}

    def opened(code: str) -> Any:
        return opening.open_direct_link(
            code=code,
            name=names.get(code, "kept.txt"),
            visit=VisitRequest(method="GET"),
            attachment=False,
            deliver=Door(),
            check_password=lambda row: None,
            now=NOW,
        ).answer.status_code

    asked = ("new-one", "renamed", "kept", "to-open", "to-revoke", "to-pause", "to-expire")
    return [tried(opened, code) for code in (*asked, "to-resume", "to-live", "rotated")]


@case("opening.open_confirmed_link")
def open_after_asking(world: World) -> Any:
    def confirmed(code: str) -> Any:
        return opening.open_confirmed_link(
            row=opening.fetch_open_link(code=code, name="kept.txt", now=NOW),
            visit=VisitRequest(method="POST"),
            own_hosts=(),
            attachment=False,
            now=NOW,
            deliver=Door(),
            check_password=lambda row: None,
        ).status_code

    return [tried(confirmed, code) for code in ("rotated", "to-revoke", "to-open", "to-resume")]


@case("opening.redeem_ticket")
def visit(world: World) -> Any:
    addresses = [link(code).get_absolute_url() for code in ("new-one", "renamed", "to-pause")]
    first = [world.browser.get(address) for address in addresses]
    contents = [world.browser.get(answer["Location"]) for answer in first[:2]]
    return [answer.status_code for answer in first], [answer.getvalue() for answer in contents]


@case("creating.create_dedicated_links", "creating.links_to_create")
def make_own(world: World) -> Any:
    asked: dict[str, Any] = {"columns": {"label": "a"}}
    files = [file("new.txt"), file("kept.txt")]
    return [
        creating.links_to_create(files, reusable=True, **asked),
        creating.create_dedicated_links(files, created_by=user("eve"), **asked),
    ]


@case("pruning.old_requests", "pruning.old_batches", "pruning.old_days", "pruning.dead_links")
def rows_to_prune(world: World) -> Any:
    age = timedelta(days=30)
    found = (
        pruning.old_requests(NOW),
        pruning.old_batches(NOW),
        pruning.old_days(NOW, age),
        pruning.dead_links(NOW, age),
    )
    return [list(rows) for rows in found]


@case("pruning.delete_in_steps")
def delete_rows(world: World) -> Any:
    return list(pruning.delete_in_steps(pruning.dead_links(NOW, timedelta(days=30))))


@case(
    "moving.files_in", "moving.move_content", "moving.unused_contents", "moving.delete_unused",
    "moving.waiting", "directlinks_move", "FileQuerySet.at_or_below",
)  # fmt: skip
def move_contents(world: World) -> Any:
    shutil.rmtree(world.folder / "other", ignore_errors=True)
    there = {"location": str(world.folder / "other")}
    backend = "django.core.files.storage.FileSystemStorage"
    other = {"BACKEND": backend, "OPTIONS": there}
    with override_settings(STORAGES={**settings.STORAGES, "other": other}):
        said_ = command("directlinks_move", "default", "other")
        move = moving.Move("other", "default", clock=lambda: NOW - timedelta(days=30))
        files = moving.files_in("other").at_or_below(user("ada"), "").order_by("path")
        moved = [(one.path, moving.move_content(one, move)) for one in files]
        unused = list(moving.unused_contents(NOW))
        for content in unused:
            moving.delete_unused(content)
        return said_, moved, len(unused), moving.waiting(NOW), len(moving.files_in("other"))


@case("pruning.contents_without_file", "pruning.remove_content", "pruning.remove_contents")
def orphans(world: World) -> Any:
    storage = content_storage()
    faults: list[str] = []
    found = list(pruning.contents_without_file(storage, NOW, lambda name, _: faults.append(name)))
    pruning.remove_contents(storage, found[1:], lambda name, _: faults.append(name))
    for name in found[:1]:
        pruning.remove_content(storage, name)
    return found, faults


@case("idempotency.run_once")
def once(world: World) -> Any:
    asked: dict[str, Any] = {"user": user("ada"), "request": b"asked", "now": NOW}
    return [
        tried(idempotency.run_once, lambda text=text: text, key=key, **asked)
        for key, text in (("new", "first"), ("new", "second"), ("old", "third"))
    ]


@case("revoking.revoke_direct_link", "revoking.revoke_all")
def revoke_one(world: World) -> Any:
    found = links("new-one", "to-revoke")
    return [tried(revoking.revoke_direct_link, one, user=None, now=NOW) for one in found]


@case("revoking.revoke_direct_links")
def revoke_by_code(world: World) -> Any:
    texts = ("new-one", "to-revoke", "rotated", "to-rotate")
    return revoking.revoke_direct_links(texts, user=user("ada"), policy=POLICY, now=NOW)


@case("creating.get_reusable_links", "creating.create_reusable_links", "creating.vanished")
def share(world: World) -> Any:
    files = [file(path) for path in ("new.txt", "kept.txt", "renamed.txt", "to-trash.txt")]
    return [
        creating.vanished(files),
        creating.get_reusable_links(files, created_by=user("ada")),
    ]


@case(
    "statistics.link_statistics",
    "statistics.downloads_by_day",
    "statistics.total_by_day",
    may_lag=True,
)
def statistics_of_a_link(world: World) -> Any:
    kept, today = DirectLink.objects.get(code="kept"), date(2026, 5, 4)
    return [
        statistics.link_statistics(kept, days=3, now=NOW),
        statistics.downloads_by_day([kept.pk], today=today)[kept.pk],
        statistics.total_by_day(DirectLink.objects.all(), today=today),
    ]


@case("statistics.most_downloaded", may_lag=True)
def most_downloaded(world: World) -> Any:
    return statistics.most_downloaded(DirectLink.objects.all(), today=date(2026, 5, 4), number=3)


WITHOUT_A_QUERY = {
    "following.register": "notes a field",
    "following.unregister": "forgets a field",
    "linking.is_saved": "looks at an object",
    "mirrors.conflicts": "asks the connection",
    "adding.local_sources": "reads a folder",
    "adding.stored_sources": "reads a storage",
    "sending.send_on_commit": "sends a signal",
    "sending.send_now": "sends a signal",
    "history.changed_fields": "renames fields",
    "history.message_of": "writes a text",
    "transfer.as_kept": "converts a moment",
    "locating.space_keys": "converts a text",
    "locating.user_keys": "converts a text",
    "moving.grace": "asks the settings",
    "opening.can_claim": "asks which counter the site has",
    "pruning.codes_never_return": "asks the settings",
    "pruning.is_own": "compares a text",
    "statistics.last_days": "counts days",
    "opening.is_download": "reads a request",
    "opening.is_plain": "reads a request",
    "opening.kind_of": "reads a request",
    "walking.in_steps": "slices a list",
    "walking.walk": "asks the queryset that it is given",
}


# --- Objects of the site --------------------------------------------------------------------------


def invoice(number: str) -> Invoice:
    """The invoice as it is. Its site would have to see to that."""
    found: Invoice = Invoice.objects.using("default").get(number=number)
    return found


@case("directlinks_sync", "syncing.sync", "mirrors.mirrors_of", "mirrors.objects_of")
def sync(world: World) -> Any:
    out = io.StringIO()
    tried(said, "directlinks_sync", into=out)
    return out.getvalue()


@case("following.follow")
def follow_objects(world: World) -> Any:
    return following.follow(registered(), mirrors.objects_of(registered()))


@case("syncing.out_of_date", "mirrors.stale_reason", "mirrors.openable_keys")
def out_of_date(world: World) -> Any:
    mirrors_there = list(File.objects.filter(storage_alias=LABEL).order_by("source_key"))
    return list(syncing.out_of_date(mirrors_there).values())


@case("linking.link_for", "linking.links_for", "linking.make_links", "mirrors.refresh")
def links_of_objects(world: World) -> Any:
    files = [invoice(number).pdf for number in ("linked", "replaced", "given", "new", "emptied")]
    return [
        linking.links_for(files, created_by=user("boss")),
        linking.link_for(files[0]).code,
        tried(linking.link_for, files[-1]),
        linking.link_for(files[2], max_downloads=2, created_by=user("boss")).code,
        linking.existing_links(files),
    ]


@case("linking.existing_links")
def existing_links_of_objects(world: World) -> Any:
    return linking.existing_links([invoice(number).pdf for number in ("linked", "late", "new")])


@case("mirrors.update", "mirrors.changed_mirror", "mirrors.describe", "mirrors.describe_new")
def save_objects(world: World) -> Any:
    for number in ("linked", "replaced", "given", "new"):
        one = invoice(number)
        one.pdf = ContentFile(b"other bytes", name=f"{number}-other.txt")
        one.save(using="default")
    return [str(link.file.content) for link in links("of-linked", "of-replaced")]


@case("mirrors.withdraw")
def delete_objects(world: World) -> Any:
    for number in ("linked", "late"):
        invoice(number).delete(using="default")
    return None


# --- Models ---------------------------------------------------------------------------------------


def stale(model: Any, **conditions: Any) -> Any:
    """The row as a page shows it: from the replica, if there is one."""
    return model.objects.may_lag().get(**conditions)


@case("File.trash")
def trash_and_save(world: World) -> Any:
    one = file("kept.txt")
    one.trash()
    one.save()
    return one.deleted_at


@case("File.trash")
def trash_what_a_page_showed(world: World) -> Any:
    one = stale(File, path="kept.txt")
    one.trash()
    one.save()
    return one.deleted_at


@case("File.restore")
def restore(world: World) -> Any:
    one = file("to-trash.txt")
    one.restore()
    one.save()
    return one.deleted_at


@case("File.restore")
def restore_what_a_page_showed(world: World) -> Any:
    one = stale(File, pk=file("to-trash.txt").pk)
    one.restore()
    return one.deleted_at, one.path


@case("File.refresh_from_db")
def refresh(world: World) -> Any:
    one = stale(File, pk=file("renamed.txt").pk)
    one.refresh_from_db()
    return one.path, one.name


@case("File.refresh_from_db")
def refresh_a_link(world: World) -> Any:
    one = stale(DirectLink, code="to-limit")
    one.refresh_from_db()
    return one.max_downloads, stale(DirectLink, code="kept").days.count()


@case("File.save", "File.clean")
def save_at_a_path_that_was_taken(world: World) -> Any:
    one = File(owner=user("ada"), path="new.txt", content=ContentFile(b"x", name="x"))
    return [tried(one.clean), tried(one.full_clean), tried(one.save)]


@case("File.save")
def save_at_a_path_that_is_free(world: World) -> Any:
    one = File(owner=user("ada"), path="to-rename.txt", content=ContentFile(b"x", name="x"))
    return [tried(one.clean), tried(one.save)]


@case("DirectLink.save", "DirectLink.clean", "DirectLink.state", "DirectLink.get_absolute_url")
def save_a_link(world: World) -> Any:
    found = links("to-limit", "rotated", "to-open", "trashed", "renamed")
    for one in found:
        one.label = "a"
        one.clean()
        one.save()
    return [(one.state(NOW), one.file.path, one.get_absolute_url()) for one in found]


@case("File.delete")
def delete_what_a_page_showed(world: World) -> Any:
    return stale(File, path="kept.txt").delete()[0]


@case("FileQuerySet.folders_among")
def files_that_are_there(world: World) -> Any:
    ada = user("ada")
    return [
        list(File.objects.live().order_by("path")),
        list(File.objects.trashed().order_by("path")),
        list(File.objects.at([(ada.pk, "new.txt")])),
        len(File.objects.all().folders_among([(ada.pk, "folder")])),
        sorted(ada.directlinks_files.live().values_list("path", flat=True)),
    ]


@case("FileQuerySet.trash")
def trash_many(world: World) -> Any:
    return File.objects.filter(path__in=["to-trash.txt", "new.txt"]).trash(NOW)


@case()
def links_that_are_there(world: World) -> Any:
    found = DirectLink.objects.order_by("code")
    return [
        *(list(found.in_state(state, NOW)) for state in LinkState),
        list(found.with_state(NOW).values_list("state_place", flat=True)),
        *(list(rows) for rows in (found.reusable(), found.opening(NOW), found.with_file())),
        list(found.below(user("ada"), "new.txt")),
        list(file("new.txt").links.all()),
    ]


@case("DirectLinkQuerySet.count_download", "DirectLinkQuerySet.lock", "DirectLinkQuerySet.revoke")
def write_many(world: World) -> Any:
    found = DirectLink.objects.filter(code__in=["new-one", "to-revoke", "to-open", "to-pause"])
    found.lock()
    return [found.count_download(NOW), found.revoke(NOW)]


@case()
def outdated(world: World) -> Any:
    return list(IdempotentRequest.objects.outdated(NOW))


# --- Counting -------------------------------------------------------------------------------------


@case()
def fold_a_batch(world: World) -> Any:
    tally = Totals()
    tally.add(link("new-one").pk, int(NOW.timestamp()), 3)
    return [flush_batch("journal/b", tally) for _ in range(2)]


@case()
def count(world: World) -> Any:
    return [get_counter().count(link(code).pk, NOW) for code in ("new-one", "to-revoke")]


# --- The API --------------------------------------------------------------------------------------


def api(name: str) -> APIClient:
    client = APIClient(user(name), **{"X-Request-ID": "00000000-0000-4000-8000-000000000001"})
    client.client.raise_request_exception = True
    return client


@case("PUT source")
def api_create(world: World) -> Any:
    asked = [f"cloudreve://my/{path}" for path in ("new.txt", "to-trash.txt", "renamed.txt")]
    return [api("ada").put(*asked).json()["data"], api("eve").put("cloudreve://my/eve.txt").json()]


@case("PUT source")
def api_create_once(world: World) -> Any:
    body = {"uris": ["cloudreve://my/new.txt"], "reuse": False}
    answers = [
        api("ada").call("PUT", "file/source", body, **{"Idempotency-Key": "k"}) for _ in range(2)
    ]
    return [answer.json() for answer in answers]


@case("GET source", may_lag=True)
def api_list(world: World) -> Any:
    return [item["id"] for item in api("ada").get("file/source").json()["data"]["links"]]


@case("GET source-detail", "GET source-revoke", may_lag=True)
def api_one(world: World) -> Any:
    return api("ada").get("file/source/to-limit").json()["data"]["max_downloads"]


@case("GET source-statistics", may_lag=True)
def api_statistics(world: World) -> Any:
    return api("ada").get("file/source/kept/statistics").json()["data"]


@case("PATCH source-detail", "PATCH source-revoke")
def api_change(world: World) -> Any:
    asked = ("new-one", "to-limit", "to-revoke", "rotated")
    return [api("ada").patch(code, label="a").json() for code in asked]


@case("DELETE source-detail", "DELETE source-revoke")
def api_revoke(world: World) -> Any:
    asked = ("new-one", "to-revoke", "rotated", "to-rotate")
    return [api("ada").delete(code).json()["code"] for code in asked]


@case("POST source-rotate")
def api_rotate(world: World) -> Any:
    asked = ("new-one", "to-revoke", "rotated", "to-rotate")
    called = [api("ada").call("POST", f"file/source/{code}/rotate", {}) for code in asked]
    return [answer.json() for answer in called]


@case("POST source-revoke")
def api_revoke_many(world: World) -> Any:
    ids = ["new-one", "to-revoke", "rotated"]
    return api("ada").call("POST", "file/source/revoke", {"ids": ids}).json()["data"]


@case("GET info")
def api_info(world: World) -> Any:
    asked = ("new.txt", "renamed.txt", "to-trash.txt")
    shown = [api("ada").get("file/info", uri=f"cloudreve://my/{path}") for path in asked]
    by_id = api("ada").get("file/info", id=file("new.txt").pk, extended="true")
    return [answer.json().get("data") for answer in (*shown, by_id)]


@case("POST token-refresh")
def api_refresh(world: World) -> Any:
    from directlinks.api.authentication import token_pair  # noqa: PLC0415  # simplejwt wants settings

    pairs = [token_pair(user(name)) for name in ("ada", "eve", "leaver")]
    bodies = [{"refresh_token": pair["refresh_token"]} for pair in pairs]
    called = [APIClient().call("POST", "session/token/refresh", body) for body in bodies * 2]
    return [answer.json()["code"] for answer in called]


@case("DELETE token")
def api_logout(world: World) -> Any:
    from directlinks.api.authentication import token_pair  # noqa: PLC0415  # simplejwt wants settings

    body = {"refresh_token": token_pair(user("eve"))["refresh_token"]}
    out = APIClient().call("DELETE", "session/token", body).json()["code"]
    return out, APIClient().call("POST", "session/token/refresh", body).json()["code"]


@case("POST token")
def api_login(world: World) -> Any:
    body = {"email": "leaver@example.org", "password": PASSWORD}
    return APIClient().call("POST", "session/token", body).json()["code"]


WITHOUT_A_CASE = {
    "GET unknown-route": "reads nothing",
    "admin directlink add": "links are made on the page of a file",
    "DirectLink.url": "reads a request",
    "File.derive_from_path": "computes columns",
    "File.describe_content": "asks a storage",
}


# --- The admin ------------------------------------------------------------------------------------


@case("admin directlink change")
def admin_change_link(world: World) -> Any:
    """The form is shown and sent back as it was, but for the label."""
    page = page_of(link("to-limit"))
    form = world.browser.get(page).context["adminform"].form
    data = {name: value for name, value in form.initial.items() if value is not None}
    answer = world.browser.post(page, {**data, "label": "a"})
    return data, answer.status_code


@case("admin file change")
def admin_change_file(world: World) -> Any:
    page = page_of(file("renamed.txt"))
    form = world.browser.get(page).context["adminform"].form
    data = {"owner": form.initial["owner"], "path": form.initial["path"], "content_type": "a/b"}
    return data["path"], world.browser.post(page, data).status_code


@case("admin file add")
def admin_add_file(world: World) -> Any:
    answers = []
    for name, path in (("ada", "new.txt"), ("ada", "to-rename.txt"), ("eve", "fresh.txt")):
        data = {"owner": user(name).pk, "path": path, "content_type": ""}
        upload = SimpleUploadedFile("x", b"x")
        answer = world.browser.post(NEW_FILE, {**data, "content": upload})
        answers.append(answer.context and answer.context["adminform"].form.errors)
    return answers


@case("admin file create_link")
def admin_create_link(world: World) -> Any:
    page = reverse("admin:directlinks_file_create_link", args=[file("new.txt").pk])
    return world.browser.post(page).status_code


def deleted(world: World, row: Any) -> list[int]:
    page = reverse(f"admin:directlinks_{row._meta.model_name}_delete", args=[row.pk])
    answers = [world.browser.get(page), world.browser.post(page, {"post": "yes"})]
    return [answer.status_code for answer in answers]


@case("admin file delete")
def admin_delete_file(world: World) -> Any:
    return deleted(world, file("new.txt"))


@case("admin directlink delete")
def admin_delete_link(world: World) -> Any:
    return deleted(world, link("new-one"))


@case("admin directlink changelist", "admin directlink dashboard", may_lag=True)
def admin_list(world: World) -> Any:
    rows = world.browser.get(LINKS, {"state": "paused"}).context["cl"].result_list
    board = world.browser.get(reverse("admin:directlinks_directlink_dashboard")).context
    return [one.code for one in rows], board["chart_words"]


@case("admin file changelist", may_lag=True)
def admin_files(world: World) -> Any:
    return [one.path for one in world.browser.get(FILES).context["cl"].result_list]


@case("admin directlink history", "admin file history")
def admin_history(world: World) -> Any:
    rows = (link("new-one"), file("new.txt"))
    names = [f"admin:directlinks_{row._meta.model_name}_history" for row in rows]
    pages = [reverse(name, args=[row.pk]) for name, row in zip(names, rows, strict=True)]
    return [world.browser.get(page).status_code for page in pages]


def _on_links(action: str, **answers: str) -> None:
    @case(f"admin {action}")
    def act(world: World) -> Any:
        asked = ("new-one", "to-revoke", "to-pause", "to-resume", "to-live", "to-expire")
        return run(world.browser, LINKS, action, links(*asked), **answers)

    act.__name__ = f"admin_{action}"


def _on_files(action: str) -> None:
    @case(f"admin {action}")
    def act(world: World) -> Any:
        found = [file(path) for path in ("new.txt", "to-trash.txt", "to-restore.txt")]
        return run(world.browser, FILES, action, found)

    act.__name__ = f"admin_{action}"


for _action in ("pause_links", "resume_links", "revoke_links"):
    _on_links(_action)
_on_links("extend_links", days="2")
_on_links("rotate_links", hours="2")
for _action in ("create_links", "check_bytes", "trash_files", "restore_files"):
    _on_files(_action)


@case("admin resume_links")
def admin_resume_those_of_one_action(world: World) -> Any:
    """One was paused just now; when the other was, no history says."""
    changing.pause_direct_links(links("kept"), user=user("boss"))
    rows = links("kept", "to-pause")
    asked = {"action": "resume_links", "_selected_action": [row.pk for row in rows]}
    form = world.browser.post(LINKS, asked).context["form"]
    latest = form["pause"].initial if "pause" in form.fields else ""
    return run(world.browser, LINKS, "resume_links", rows, pause=latest)


@case("admin export_links")
def admin_export(world: World) -> Any:
    keys = [one.pk for one in links("new-one", "to-limit")]
    data = {"action": "export_links", "_selected_action": keys}
    return world.browser.post(LINKS, data).getvalue().decode()


# --- How they are run -----------------------------------------------------------------------------


def tried(act: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What ``act`` returns, or what it raises."""
    try:
        with transaction.atomic():
            return act(*args, **kwargs)
    except Exception as error:  # noqa: BLE001  # all are compared
        return told(error)


def told(value: Any) -> Any:
    """``value`` without the keys that a database gives, so that two of them can be compared."""
    match value:
        case models.Model():
            named = (getattr(value, name, None) for name in ("code", "path", "key", "name", "day"))
            return f"{type(value).__name__} {next(filter(None, named), value.pk)}"
        case BaseException():
            return type(value).__name__, str(value)
        case Batch():
            return told(value.items), told(value.errors)
        case creating.IssuedLink():
            return value.source.code, value.source.name, value.file_url, value.is_made
        case Enum():
            return value.name
        case list() | tuple():
            return [told(item) for item in value]
        case Mapping() | set() | frozenset():
            items = value.items() if isinstance(value, Mapping) else value
            return sorted(repr(told(item)) for item in items)
        case _ if is_dataclass(value):
            fields = value.__dataclass_fields__
            return {name: told(getattr(value, name)) for name in fields}
        case _:
            return value


def stored_rows() -> list[str]:
    """All rows in the database of the writes, without the keys that it gave them."""
    rows = []
    kinds: list[Any] = [
        *apps.get_app_config("directlinks").get_models(),
        LogEntry,
        get_user_model(),
    ]
    for model in kinds:
        related = [field.name for field in model._meta.concrete_fields if field.is_relation]
        for row in model._base_manager.using("default").select_related(*(related or [None])):
            columns = {
                field.name: told(getattr(row, field.name) if field.is_relation else value)
                for field in model._meta.concrete_fields
                if not field.primary_key and field.name not in {"object_id", "password"}
                for value in [field.value_from_object(row)]
            }
            rows.append(f"{model.__name__} {columns}")
    return sorted(rows)


class Outcome(NamedTuple):
    answer: Any
    rows: list[str]
    contents: list[str]


@pytest.fixture(scope="module")
def _replica(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: Any
) -> Iterator[None]:
    with (
        django_db_blocker.unblock(),
        replica_database(tmp_path_factory.mktemp("replica") / "replica.sqlite3"),
    ):
        yield


@pytest.fixture
def world(
    _replica: None,
    db: None,
    tmp_path: Path,
    settings: Settings,
    register: Callable[..., None],
) -> Iterator[World]:
    settings.DIRECTLINKS = {"GROUP_LIMITS": {"guests": {"MAX_DOWNLOADS": 10}}}
    with time_machine.travel(NOW, tick=False):
        register(Invoice, "pdf", owner="customer.user")
        settled()
        browser = Client()
        browser.force_login(user("boss"))
        yield World(tmp_path, browser)
        thaw()


def outcome_of(act: Callable[[World], Any], world: World, *, routed: bool) -> Outcome:
    """What comes of ``act``, after which everything is as it was."""
    media, kept = Path(content_storage().path("")), world.folder / "kept"
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(media, kept)
    drawn = itertools.count(1)
    savepoint: Any = transaction.atomic()
    savepoint._from_testcase = True  # what must be durable may be in it
    with pytest.MonkeyPatch.context() as patched, savepoint:
        patched.setattr(secrets, "token_hex", lambda size=16: f"{next(drawn):0{2 * size}}")
        patched.setattr(secrets, "choice", lambda choices: choices[0])
        patched.setattr(codes, "generate", lambda n, *_: [f"code-{next(drawn)}" for _ in range(n)])
        with ROUTED if routed else nullcontext():
            answer = told(act(world))
        contents = sorted(str(p.relative_to(media)) for p in media.rglob("*") if p.is_file())
        outcome = Outcome(answer, stored_rows(), contents)
        transaction.set_rollback(True)
    shutil.rmtree(media)
    shutil.copytree(kept, media)
    return outcome


@pytest.mark.django_db(databases=["default", "replica"])
@pytest.mark.parametrize("subject", CASES, ids=lambda case: case.act.__name__)
def test_a_replica_that_stopped_changes_nothing_but_what_may_lag(
    subject: Case, world: World
) -> None:
    then = outcome_of(subject.act, world, routed=False) if subject.may_lag else None
    freeze()
    later()
    content_storage().save(f"directlinks/{'f' * 32}/orphan.txt", ContentFile(b"x"))
    for path in Path(content_storage().path("")).rglob("*"):
        os.utime(path, (LONG_AGO.timestamp(), LONG_AGO.timestamp()))
    now = outcome_of(subject.act, world, routed=False)
    lagging = outcome_of(subject.act, world, routed=True)
    if then is None:
        assert lagging == now
    else:
        assert lagging.answer == then.answer != now.answer
        assert lagging.rows == now.rows


# --- Nothing is forgotten -------------------------------------------------------------------------


def the_commands() -> set[str]:
    return {name for name, app in get_commands().items() if app == "directlinks"}


def the_services() -> set[str]:
    found = set()
    for module in pkgutil.iter_modules(directlinks.services.__path__):
        members = vars(importlib.import_module(f"directlinks.services.{module.name}"))
        found |= {
            f"{module.name}.{name}"
            for name, member in members.items()
            if inspect.isfunction(member)
            and member.__module__ == f"directlinks.services.{module.name}"
            and not name.startswith("_")
        }
    return found - WITHOUT_A_QUERY.keys()


def the_methods() -> set[str]:
    """The public methods of models and querysets that read or write by themselves."""
    own: list[Any] = list(apps.get_app_config("directlinks").get_models())
    querysets = {type(model.objects.all()) for model in own} - {PrimaryQuerySet}
    return {
        f"{kind.__name__}.{name}"
        for kind in (*own, *querysets)
        for name, member in vars(kind).items()
        if inspect.isfunction(member)
        and member.__module__.startswith("directlinks.")
        and not name.startswith("_")
        # What only adds a condition reads where the queryset does: see test_primary.py.
        and not str(member.__annotations__.get("return")).endswith("QuerySet")
    }


def the_calls() -> set[str]:
    found = set()
    for route in api_routes:
        view: Any = route.callback
        methods = getattr(view, "actions", None) or [
            name for name in view.view_class.http_method_names if hasattr(view.view_class, name)
        ]
        found |= {f"{method.upper()} {route.name}" for method in methods if route.name}
    return {call for call in found if not call.startswith(("HEAD", "OPTIONS"))}


def the_pages() -> set[str]:
    found = set()
    for model in (File, DirectLink):
        model_admin: Any = admin_site.get_model_admin(model)
        found |= {f"admin {action}" for action in model_admin.actions}
        names = [pattern.name or "" for pattern in model_admin.get_urls()]
        pages = {name.removeprefix("directlinks_").replace("_", " ", 1) for name in names if name}
        found |= {f"admin {page}" for page in pages}
    return found


@pytest.mark.parametrize(
    "collected", [the_commands, the_services, the_methods, the_calls, the_pages]
)
def test_everything_that_reads_has_a_case(collected: Callable[[], set[str]]) -> None:
    cased = {subject for case in CASES for subject in case.subjects}
    assert sorted(collected() - cased - WITHOUT_A_CASE.keys()) == []
