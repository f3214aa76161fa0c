"""Links that are their asker's own: limited, labelled, or wanted new."""

from collections.abc import Collection, Mapping
from typing import Any

from django.db import IntegrityError

from directlinks import signals
from directlinks.models import DirectLink, File
from directlinks.services.announcing import announce
from directlinks.services.fresh_codes import fresh_codes

_TRIES = 3


def make_own_links(
    files: Collection[File], *, columns: Mapping[str, Any], created_by: Any
) -> dict[int, DirectLink]:
    """A new link to each of ``files`` with the values ``columns``, by the file's key.

    One INSERT, as far as the database takes that many parameters. Files that no longer exist are
    left out, and so are all where no free code was found.
    """
    left = sorted(files, key=lambda file: file.pk)
    for _ in range(_TRIES):
        links = [
            DirectLink(file=file, name=file.name, code=code, created_by=created_by, **columns)
            for file, code in zip(left, fresh_codes(len(left)), strict=True)
        ]
        try:
            with DirectLink.objects.atomic():
                DirectLink.objects.bulk_create(links)
        except IntegrityError:  # a code was taken, or a file is gone: the others want their links
            alive = File.objects.in_bulk([file.pk for file in left])
            left = [file for file in left if file.pk in alive]
        else:
            if links:
                announce(signals.created, links=links, user=created_by)
            return {link.file_id: link for link in links}
    return {}


def links_to_be(
    files: Collection[File], *, columns: Mapping[str, Any], shared: bool
) -> dict[int, DirectLink]:
    """The link that each of ``files`` would get, by the file's key; new ones are not saved.

    If it is ``shared``, that is the reusable one, as far as there is one.
    """
    reusable = DirectLink.objects.reusable().filter(file__in=files) if shared else []
    found = {(link.file_id, link.name): link for link in reusable}
    links = {}
    for file in files:
        link = found.get((file.pk, file.name)) or DirectLink(name=file.name, **columns)
        link.file = file
        links[file.pk] = link
    return links
