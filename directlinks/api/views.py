"""Views of ``file/source`` and ``file/info``: the links of the files that the user may link."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSetMixin

from directlinks import addresses
from directlinks.api.base import EnvelopeView, django_request, json_object
from directlinks.api.serializers import (
    MAX_PAGE_SIZE,
    CreateDirectLinksSerializer,
    CreationSerializer,
    InfoQuery,
    LimitsSerializer,
    ListQuery,
    PlainSerializer,
    Representation,
    RevokeSerializer,
    RotateSerializer,
    SnippetsQuery,
    StatisticsQuery,
    limits_in,
    query_of,
    usage,
)
from directlinks.conf import conf
from directlinks.core import envelope, uris
from directlinks.core.envelope import Batch
from directlinks.core.errors import (
    ActionNotSupported,
    BatchAboveCeiling,
    InvalidParameters,
    NotAFile,
    NotYourLink,
    PathNotExist,
    UnknownFileSystem,
    UnknownURI,
    URIError,
)
from directlinks.models import DirectLink, File
from directlinks.policies import site_policy
from directlinks.reporting import correlation_id
from directlinks.services.changing import change_direct_link, rotate_direct_link
from directlinks.services.creating import create_direct_links, whole_links
from directlinks.services.idempotency import run_once
from directlinks.services.listing import (
    Folder,
    folder_at,
    get_direct_link,
    links_of,
    list_direct_links,
)
from directlinks.services.locating import locate
from directlinks.services.revoking import (
    revoke_direct_link,
    revoke_direct_links,
)
from directlinks.services.statistics import link_statistics

# As the protocol shows a file's primary key.
_ID = re.compile("[0-9]{1,18}")


class FileInfoView(EnvelopeView):
    """One file by its URI or its id, or a folder by its URI; ``extended`` adds a file's links."""

    def get(self, request: Request) -> Response:
        # Existing clients may ask for more than is known here.
        query = InfoQuery(data=query_of(request)).checked(beside=request.query_params)
        representation = Representation(
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
            path = representation.file_url(found)
        else:
            raise InvalidParameters("uri is required")
        if isinstance(found, Folder):
            shown = representation.folder(found, path=path)
            extended_info: dict[str, Any] = {"storage_used": found.size}
        else:
            shown = representation.file(found, path=path)
            links = links_of(found) if query["extended"] else ()
            extended_info = representation.extended_info(found, links)
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


_IDEMPOTENCY_KEY = re.compile(r"[\x20-\x7e]{1,255}")


class DirectLinkViewSet(ViewSetMixin, EnvelopeView):
    """Create, list, show, change and revoke links."""

    # By the name of the action; the others take SnippetsQuery.
    queries: Mapping[str | None, type[PlainSerializer]] = {
        "list": ListQuery,
        "statistics": StatisticsQuery,
        "destroy": PlainSerializer,
        "revoke": PlainSerializer,
    }

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse what the query string should not hold, before anything is read or written."""
        super().initial(request, *args, **kwargs)
        if self.action is not None:  # else the method is not allowed
            self.query: Any = self.queries.get(self.action, SnippetsQuery)(data=query_of(request))
            self.values = self.query.checked()

    def update(self, request: Request) -> Response:
        """Return a link for each URI in the body, or an error for each without one."""
        body = json_object(django_request(request))
        serializer = CreateDirectLinksSerializer(data=body)
        serializer.is_valid(raise_exception=True)
        uris: list[str] = serializer.validated_data["uris"]
        options = CreationSerializer(data=body).checked(beside=serializer.fields)
        # First, so that a host which is not the site's is refused before a link is made.
        representation = self._representation(request)

        def answer() -> envelope.Envelope:
            batch = create_direct_links(
                user=request.user,
                texts=uris,
                policy=site_policy(),
                limits=limits_in(options),
                reuse=options["reuse"],
                dry_run=options["dry_run"],
            )
            whole = whole_links(batch.items) if options["details"] else None
            items = batch.map(lambda issued: representation.issued(issued, whole))
            return self._envelope_of(request, items)

        key = request.headers.get("Idempotency-Key")
        if key is None or options["dry_run"]:
            return Response(answer())
        content = [uris, {**options, "snippets": representation.with_snippets}]
        return Response(_once(request, key, content, answer))

    def list(self, request: Request) -> Response:
        """Return a page of the links that the user may manage."""
        values = self.values
        representation = self._representation(request)
        size = min(values["page_size"], MAX_PAGE_SIZE)
        page = list_direct_links(
            user=request.user,
            policy=site_policy(),
            filters=self.query.filters(),
            order=self.query.order(),
            size=size,
            token=values.get("next_token"),
            now=representation.now,
        )
        pagination: dict[str, Any] = {"page_size": size}
        if page.next_token is not None:
            pagination["next_token"] = page.next_token
        links = [representation.link(link) for link in page.links]
        return Response(envelope.success({"links": links, "pagination": pagination}))

    def retrieve(self, request: Request, code: str) -> Response:
        """Return a link with its limits."""
        representation = self._representation(request)
        link = self._link(request, code, may_lag=True)
        return Response(envelope.success(representation.link(link)))

    def partial_update(self, request: Request, code: str) -> Response:
        """Set the limits in the body, and only those."""
        body = json_object(django_request(request), may_be_empty=True)
        limits = limits_in(LimitsSerializer(data=body).checked())
        representation = self._representation(request)
        link = self._link(request, code)
        change_direct_link(link, limits, user=request.user, now=representation.now)
        return Response(envelope.success(representation.link(link)))

    def destroy(self, request: Request, code: str) -> Response:
        """Revoke a link. Other users get the answer for an unknown code."""
        link = self._link(request, code)
        revoke_direct_link(link, user=request.user, now=timezone.now())
        return Response(envelope.success())

    def rotate(self, request: Request, code: str) -> Response:
        """Give a link a new code; the old one keeps working for ``grace`` seconds."""
        body = json_object(django_request(request), may_be_empty=True)
        grace = RotateSerializer(data=body).checked().get("grace")
        representation = self._representation(request)
        link = self._link(request, code)
        rotate_direct_link(
            link,
            grace=timedelta(seconds=grace) if grace else None,
            user=request.user,
            now=representation.now,
        )
        return Response(envelope.success(representation.link(link)))

    def statistics(self, request: Request, code: str) -> Response:
        """Return the downloads of a link, day by day."""
        link = self._link(request, code, may_lag=True)
        shown = link_statistics(link, days=self.values["days"], now=timezone.now())
        return Response(envelope.success(usage(shown)))

    def _link(self, request: Request, code: str, *, may_lag: bool = False) -> DirectLink:
        link = get_direct_link(code, may_lag=may_lag)
        self.check_object_permissions(request, link)
        return link

    def check_object_permissions(self, request: Request, obj: DirectLink) -> None:
        try:
            super().check_object_permissions(request, obj)
        except PermissionDenied as error:
            raise NotYourLink from error

    def _representation(self, request: Request) -> Representation:
        return Representation(
            user=request.user,
            address=addresses.links_at(django_request(request)),
            now=timezone.now(),
            with_snippets=self.values["snippets"],
        )

    def _envelope_of(self, request: Request, batch: Batch[Any]) -> envelope.Envelope:
        known = correlation_id(django_request(request))
        return envelope.from_batch(batch, correlation_id=known, debug=conf.debug)


class RevocationViewSet(DirectLinkViewSet):
    """Revoke many links by POST; other methods are for a link whose code is "revoke"."""

    def revoke(self, request: Request, code: str) -> Response:
        """Revoke the links in the body; each that cannot be revoked has its own error."""
        body = json_object(django_request(request))
        serializer = RevokeSerializer(data=body)
        serializer.is_valid(raise_exception=True)
        PlainSerializer(data=body).checked(beside=serializer.fields)
        codes = serializer.validated_data["ids"]
        if len(codes) > conf.MAX_BATCH_SIZE:
            raise BatchAboveCeiling(conf.MAX_BATCH_SIZE)
        batch = revoke_direct_links(
            codes, user=request.user, policy=site_policy(), now=timezone.now()
        )
        return Response(self._envelope_of(request, batch))


def _once(
    request: Request, key: str, content: Any, answer: Callable[[], envelope.Envelope]
) -> envelope.Envelope:
    if not _IDEMPOTENCY_KEY.fullmatch(key):
        raise InvalidParameters("Idempotency-Key: Expected 1 to 255 characters of ASCII.")
    text = run_once(
        lambda: envelope.encode(answer()).decode(),
        user=request.user,
        key=key,
        request=json.dumps(content, sort_keys=True, default=str).encode(),
        now=timezone.now(),
    )
    kept: envelope.Envelope = json.loads(text)
    return kept
