"""GET file/info: what is known of one file, and of its links."""

from django.db import router
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
    UnknownFileSystem,
    UnknownURI,
    URIError,
)
from directlinks.models import File
from directlinks.policies import site_policy
from directlinks.services.listing import links_of
from directlinks.services.locating import locate


class FileInfoView(EnvelopeView):
    """One file by its URI; ``extended`` adds its links."""

    def get(self, request: Request) -> Response:
        query = InfoQuery(data=query_of(request)).checked()
        if "uri" not in query:
            raise InvalidParameters("uri is required")
        uri = uris.parse(query["uri"])
        reader = Reader(
            user=request.user,
            address=addresses.links_at(django_request(request)),
            now=timezone.now(),
        )
        file = self._file(request, uri)
        shown = reader.file(file, uri)
        if query["extended"]:
            shown["extended_info"] = reader.extended_info(file, links_of(file))
        return Response(envelope.success(shown))

    def _file(self, request: Request, uri: uris.FileURI) -> File:
        """The file at ``uri``. Raises the URIError that a batch would have for it."""
        if uri.fs == "my" and not uri.path and uri.user in (None, str(request.user.pk)):
            raise ActionNotSupported
        (target,) = locate([uri], user=request.user, policy=site_policy()).targets
        if isinstance(target, UnknownFileSystem):
            # By itself it has no number, and so would be a failure of the server.
            raise UnknownURI(cause=target.cause)
        if isinstance(target, URIError):
            raise target
        # What a link needs of a file is less than what is shown here.
        using = router.db_for_write(File)  # which knows of a file that was just added
        whole = File.objects.using(using).select_related("owner")
        file: File = get_object_or_404(whole, pk=target.pk)
        return file
