"""PUT file/source and DELETE file/source/{code}."""

from django.utils import timezone
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSetMixin

from directlinks import addresses
from directlinks.api.base import EnvelopeView, django_request
from directlinks.api.bodies import json_object
from directlinks.api.results import issued_link
from directlinks.api.serializers import CreateDirectLinksSerializer
from directlinks.conf import conf
from directlinks.core import envelope
from directlinks.core.errors import NotYourLink
from directlinks.models import DirectLink
from directlinks.policies import site_policy
from directlinks.reporting import correlation_id
from directlinks.services.creating import create_direct_links
from directlinks.services.revoking import find_direct_link, revoke_direct_link


class DirectLinkViewSet(ViewSetMixin, EnvelopeView):
    """The links of the files that the caller may link."""

    def update(self, request: Request) -> Response:
        """A link for each URI in the body, and an error for each that cannot have one."""
        serializer = CreateDirectLinksSerializer(data=json_object(django_request(request)))
        serializer.is_valid(raise_exception=True)
        # First, so that a host which is not the site's is refused before a link is made.
        site = addresses.absolute("", django_request(request))
        batch = create_direct_links(
            user=request.user, texts=serializer.validated_data["uris"], policy=site_policy()
        )
        answer = batch.map(lambda issued: issued_link(issued, site))
        return Response(
            envelope.from_batch(
                answer, correlation_id=correlation_id(django_request(request)), debug=conf.debug
            )
        )

    def destroy(self, request: Request, code: str) -> Response:
        """Revoke a link. Strangers learn nothing: to them no link has this code."""
        link = find_direct_link(code)
        self.check_object_permissions(request, link)
        revoke_direct_link(link, now=timezone.now())
        return Response(envelope.success())

    def check_object_permissions(self, request: Request, obj: DirectLink) -> None:
        try:
            super().check_object_permissions(request, obj)
        except PermissionDenied as error:
            raise NotYourLink from error
