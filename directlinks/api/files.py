"""GET file/info: what is known of one file, and of its links."""

import re
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from directlinks import addresses
from directlinks.api.base import EnvelopeView, django_request
from directlinks.api.items import Reader
from directlinks.api.queries import InfoQuery, query_of
from directlinks.core import envelope, uris
from directlinks.core.errors import (
    ActionNotSupported,
    InvalidParameters,
    NotAFile,
    PathNotExist,
    UnknownFileSystem,
    UnknownURI,
    URIError,
)
from directlinks.models import File
from directlinks.policies import site_policy
from directlinks.services.listing import Folder, folder_at, links_of
from directlinks.services.locating import locate

# As the protocol shows a file's primary key.
_ID = re.compile("[0-9]{1,18}")


class FileInfoView(EnvelopeView):
    """One file by its URI or its id, or a folder by its URI; ``extended`` adds a file's links."""

    def get(self, request: Request) -> Response:
        # Existing clients may ask for more than is known here.
        query = InfoQuery(data=query_of(request)).checked(beside=request.query_params)
        reader = Reader(
            user=request.user,
            address=addresses.links_at(django_request(request)),
            now=timezone.now(),
        )
        if "uri" in query:
            uri = uris.parse(query["uri"])
            path = uri.file_url()
            found = _found_at(uri, request.user)
        elif "id" in query:
            found = _file_with(query["id"], request.user)
            path = reader.file_url(found)
        else:
            raise InvalidParameters("uri is required")
        if isinstance(found, Folder):
            shown = reader.folder(found, path=path)
            extended_info: dict[str, Any] = {"storage_used": found.size}
        else:
            shown = reader.file(found, path=path)
            links = links_of(found) if query["extended"] else ()
            extended_info = reader.extended_info(found, links)
        if query["extended"]:
            shown["extended_info"] = extended_info
        return Response(envelope.success(shown))


def _found_at(uri: uris.FileURI, user: Any) -> File | Folder:
    """Return the file or folder at ``uri``.

    Raise the URIError that a batch would have for it, and ActionNotSupported for a root.
    """
    if uri.fs == "my" and not uri.path and uri.user in (None, str(user.pk)):
        raise ActionNotSupported
    (target,) = locate([uri], user=user, policy=site_policy()).targets
    if isinstance(target, UnknownFileSystem):
        # By itself it has no number, and so would be a failure of the server.
        raise UnknownURI(cause=target.cause)
    if isinstance(target, NotAFile):
        if not target.path:
            raise ActionNotSupported
        if (folder := folder_at(target.owner, target.path)) is None:
            raise PathNotExist  # its files have gone since
        return folder
    if isinstance(target, URIError):
        raise target
    # What a link needs of a file is less than what is shown here.
    file: File = get_object_or_404(File.objects.select_related("owner"), pk=target.pk)
    return file


def _file_with(key: str, user: Any) -> File:
    """Return the live file with this id. Raise InvalidParameters or PathNotExist.

    As with paths, another user's file gets the same answer as one that does not exist.
    """
    if not _ID.fullmatch(key):
        raise InvalidParameters("unknown file id")
    files = File.objects.live().select_related("owner")
    file: File | None = files.filter(pk=key).first()
    if file is None or not site_policy().allows(user, file):
        raise PathNotExist
    return file
