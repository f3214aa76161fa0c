"""Links and files as those who manage them see them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from directlinks.core import paths, referers
from directlinks.core.snippets import snippets
from directlinks.core.uris import file_url
from directlinks.datetimes import rfc3339
from directlinks.models import DirectLink, File
from directlinks.services.creating import IssuedLink
from directlinks.services.listing import Folder
from directlinks.services.statistics import Statistics

# What the space of a user can do, as the protocol encodes it; bit 7 is "download".
_CAPABILITY = "w8edAQ=="


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads, when, and at which ``address`` the link with a code and a name is for them."""

    user: Any
    address: Callable[[str, str], str]
    now: datetime
    with_snippets: bool = False

    def issued(
        self, issued: IssuedLink, whole: Mapping[str, DirectLink] | None = None
    ) -> dict[str, Any]:
        """Return one item of the answer to PUT; a link that is not made yet has no address.

        It has details if the ``whole`` links are given, by their codes.
        """
        code, name = issued.source.code, issued.source.name
        is_made = issued.is_made
        item: dict[str, Any] = {
            "link": self.address(code, name) if is_made else "",
            "file_url": issued.file_url,
        }
        if whole is not None and code in whole:  # its file may have been deleted meanwhile
            details = {"id": code if is_made else "", "is_new": issued.is_new}
            item |= details | self.limits(whole[code])
        if self.with_snippets and is_made:
            item |= self.snippets(issued.link)
        return item

    def link(self, link: DirectLink) -> dict[str, Any]:
        """A link with all that may be known of it, and so without its password."""
        return {
            "id": link.code,
            "url": self.url(link),
            "file_url": self.file_url(link.file),
            "name": link.name,
            "downloaded": link.downloads,
            "created_at": rfc3339(link.created_at),
            "last_opened_at": _moment(link.last_opened_at),
            **self.limits(link),
            **self.snippets(link),
        }

    def limits(self, link: DirectLink) -> dict[str, Any]:
        """Return the state of a link and its limits."""
        return {
            "state": link.state(self.now).name.lower(),
            "not_before": _moment(link.not_before),
            "expires_at": _moment(link.expires_at),
            "max_downloads": link.max_downloads,
            "paused": link.paused,
            "has_password": bool(link.password),
            "referers": referers.hosts(link.referers),
            "ask_first": link.ask_first,
            "label": link.label,
            "note": link.note,
        }

    def file(self, file: File, *, path: str) -> dict[str, Any]:
        """A file as the protocol shows it; what this server has no notion of is empty.

        Its ``path`` is the URI as the asker wrote it, or would write it.
        """
        return {
            "type": 0,
            "id": str(file.pk),
            "name": file.name,
            "created_at": rfc3339(file.created_at),
            "updated_at": rfc3339(file.updated_at),
            "size": file.size,
            "metadata": {},
            "path": path,
            "capability": _CAPABILITY,
            "owned": file.owner_id == self.user.pk,
            "primary_entity": file.version,
        }

    def folder(self, folder: Folder, *, path: str) -> dict[str, Any]:
        """Return a folder as the protocol shows it. It has no row, so its id finds nothing."""
        return {
            "type": 1,
            "id": paths.key(f"{folder.owner}/{folder.path}")[:22],
            "name": paths.name(folder.path),
            "created_at": rfc3339(folder.created_at),
            "updated_at": rfc3339(folder.updated_at),
            "size": 0,
            "metadata": {},
            "path": path,
            "capability": _CAPABILITY,
            "owned": folder.owner == self.user.pk,
            "primary_entity": "",
        }

    def extended_info(self, file: File, links: Iterable[DirectLink]) -> dict[str, Any]:
        """What is beside a file; without links their key is absent, as clients expect it."""
        info: dict[str, Any] = {"storage_used": file.size}
        if shown := [self._short(link) for link in links]:
            info["direct_links"] = shown
        return info

    def _short(self, link: DirectLink) -> dict[str, Any]:
        whole = self.link(link)
        return {name: whole[name] for name in ("id", "url", "downloaded", "created_at")}

    def url(self, link: DirectLink) -> str:
        return self.address(str(link.code), str(link.name))

    def file_url(self, file: File) -> str:
        """The file's URI as the reader would write it."""
        owner = None if file.owner_id == self.user.pk else str(file.owner_id)
        return file_url(file.path, owner)

    def snippets(self, link: DirectLink) -> dict[str, Any]:
        if not self.with_snippets:
            return {}
        url, content_type = self.url(link), link.file.content_type
        return {"snippets": snippets(url, link.name, content_type, ask_first=link.ask_first)}


def usage(statistics: Statistics) -> dict[str, Any]:
    """How a link is used."""
    return {
        "downloaded": statistics.total,
        "last_opened_at": _moment(statistics.last_opened_at),
        "days": [
            {"day": day.isoformat(), "downloaded": downloads}
            for day, downloads in statistics.days.items()
        ],
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)
