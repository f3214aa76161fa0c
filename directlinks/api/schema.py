"""The API in OpenAPI, for sites that have drf-spectacular installed; see docs/api.md.

Importing this is all: drf-spectacular finds the extensions below.
"""

from collections.abc import Callable
from functools import update_wrapper
from types import FunctionType
from typing import Any

from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
    OpenApiSerializerFieldExtension,
    OpenApiViewExtension,
)
from drf_spectacular.plumbing import build_bearer_security_scheme_object
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers

from directlinks.api import schema_shapes as shapes
from directlinks.api.queries import InfoQuery, ListQuery, SnippetsQuery, StatisticsQuery
from directlinks.api.schema_answers import ALWAYS, PARTLY, WRITING, answers, body
from directlinks.api.serializers import (
    CreateDirectLinksSerializer,
    CreationSerializer,
    LimitsSerializer,
    LoginSerializer,
    RefreshTokenSerializer,
    RevokeSerializer,
    RotateSerializer,
)


class MakeLinks(CreateDirectLinksSerializer, CreationSerializer):
    """URIs of files, and what is wished for all their links."""


class _Lists(OpenApiSerializerFieldExtension):
    target_class = "directlinks.api.fields.StringListField"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        return {"type": "array", "items": {"type": "string"}, "minItems": 1}


class _Hosts(OpenApiSerializerFieldExtension):
    target_class = "directlinks.api.fields.HostsField"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        host = {"type": "string", "pattern": r"^[A-Za-z0-9]+([.-][A-Za-z0-9]+)*$", "maxLength": 253}
        return {"type": "array", "items": host}


class _StrictLimits(OpenApiSerializerExtension):
    """The schema of a body that refuses unknown names."""

    target_class: Any = "directlinks.api.serializers.LimitsSerializer"

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        own = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        return {**own, "additionalProperties": False}


class _StrictCreation(_StrictLimits):
    target_class = MakeLinks


class _StrictRotation(_StrictLimits):
    target_class = "directlinks.api.serializers.RotateSerializer"


class _StrictRevocation(_StrictLimits):
    target_class = "directlinks.api.serializers.RevokeSerializer"


class _Bearer(OpenApiAuthenticationExtension):
    target_class = "directlinks.api.authentication.AccessTokenAuthentication"
    name = "accessToken"

    def get_security_definition(self, auto_schema: Any) -> Any:
        return build_bearer_security_scheme_object("Authorization", "Bearer", "JWT")


_ONE_LINK = shapes.envelope_of("LinkEnvelope", shapes.Link())
_NOTHING = shapes.envelope_of("Envelope", None)
_TOKENS = shapes.envelope_of("TokensEnvelope", shapes.Tokens())
_CODE = OpenApiParameter(
    "code", str, OpenApiParameter.PATH, pattern="^[0-9A-Za-z_-]{4,64}$", description="Of the link."
)
_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    pattern=r"^[!-~]([ -~]{0,253}[!-~])?$",
    description="For 24 hours the same key with the same request gives the same answer.",
)

_OPERATIONS: dict[str, dict[str, Any]] = {
    "update": {
        "operation_id": "makeLinks",
        "summary": "Make links, or find those that are there",
        "parameters": [SnippetsQuery, _KEY],
        "request": body(MakeLinks),
        "responses": answers(
            shapes.batch_of("IssuedLinksEnvelope", shapes.IssuedLink(many=True, required=False)),
            *WRITING,
            409,
            Partly=PARTLY,
        ),
    },
    "list": {
        "operation_id": "listLinks",
        "summary": "List links",
        "parameters": [ListQuery],
        "responses": answers(shapes.envelope_of("PageEnvelope", shapes.Page()), *ALWAYS),
    },
    "retrieve": {
        "operation_id": "showLink",
        "summary": "Show a link",
        "parameters": [_CODE, SnippetsQuery],
        "responses": answers(_ONE_LINK, *ALWAYS, 404),
    },
    "partial_update": {
        "operation_id": "limitLink",
        "summary": "Limit, pause or label a link; null takes a limit away",
        "parameters": [_CODE, SnippetsQuery],
        "request": body(LimitsSerializer),
        "responses": answers(_ONE_LINK, *WRITING, 404),
    },
    "destroy": {
        "operation_id": "revokeLink",
        "summary": "Revoke a link, for good",
        "parameters": [_CODE],
        "responses": answers(_NOTHING, *ALWAYS, 403, 404),
    },
    "rotate": {
        "operation_id": "rotateLink",
        "summary": "Give a link another code",
        "parameters": [_CODE, SnippetsQuery],
        "request": body(RotateSerializer),
        "responses": answers(_ONE_LINK, *WRITING, 404),
    },
    "statistics": {
        "operation_id": "showUsage",
        "summary": "Show a link's downloads by day",
        "parameters": [_CODE, StatisticsQuery],
        "responses": answers(shapes.envelope_of("UsageEnvelope", shapes.Usage()), *ALWAYS, 404),
    },
}


class _Links(OpenApiViewExtension):
    target_class = "directlinks.api.sources.DirectLinkViewSet"

    def view_replacement(self) -> Any:
        return _described(self.target_class, _OPERATIONS, tag="links")


class _Revocation(OpenApiViewExtension):
    target_class = "directlinks.api.sources.RevocationViewSet"

    def view_replacement(self) -> Any:
        revoke = {
            "operation_id": "revokeLinks",
            "summary": "Revoke many links, for good",
            "request": body(RevokeSerializer),
            "responses": answers(
                shapes.batch_of(
                    "CodesEnvelope",
                    serializers.ListField(child=serializers.CharField(), required=False),
                ),
                *WRITING,
            ),
        }
        hidden = {"exclude": True}
        one = dict.fromkeys(("retrieve", "partial_update", "destroy"), hidden)
        return _described(self.target_class, {"revoke": revoke, **one}, tag="links")


class _Info(OpenApiViewExtension):
    target_class = "directlinks.api.files.FileInfoView"

    def view_replacement(self) -> Any:
        show = {
            "operation_id": "showFile",
            "summary": "Show a file and its links",
            "parameters": [OpenApiParameter("uri", str, required=True), InfoQuery],
            "responses": answers(
                shapes.envelope_of("FileEnvelope", shapes.File()), *ALWAYS, 403, 404
            ),
        }
        return _described(self.target_class, {"get": show}, tag="files")


class _Session(OpenApiViewExtension):
    target_class = "directlinks.api.session.SessionTokenView"

    def view_replacement(self) -> Any:
        log_in = {
            "operation_id": "logIn",
            "summary": "Log in",
            "request": body(LoginSerializer),
            "responses": answers(shapes.envelope_of("LoginEnvelope", shapes.LoggedIn()), *WRITING),
        }
        log_out = {
            "operation_id": "logOut",
            "summary": "Log out",
            # OpenAPI 3.0 has no word for the body of a DELETE.
            "description": 'Spends a refresh token; the body is `{"refresh_token": "…"}`.',
            "responses": answers(
                shapes.envelope_of(
                    "EmptyEnvelope", serializers.CharField(allow_blank=True, max_length=0)
                ),
                *ALWAYS,
                411,
                413,
            ),
        }
        return _described(self.target_class, {"post": log_in, "delete": log_out}, tag="session")


class _Refresh(OpenApiViewExtension):
    target_class = "directlinks.api.session.RefreshView"

    def view_replacement(self) -> Any:
        refresh = {
            "operation_id": "refreshTokens",
            "summary": "Exchange a refresh token for a new pair",
            "request": body(RefreshTokenSerializer),
            "responses": answers(_TOKENS, *ALWAYS, 411, 413),
        }
        return _described(self.target_class, {"post": refresh}, tag="session")


def _described(view: Any, operations: dict[str, dict[str, Any]], *, tag: str) -> type[Any]:
    """``view`` with its ``operations`` described, for drf-spectacular alone."""
    methods = {
        name: extend_schema(tags=[tag], **facts)(_copy_of(getattr(view, name)))
        for name, facts in operations.items()
    }
    return type(view.__name__, (view,), methods)


def _copy_of(method: Any) -> Callable[..., Any]:
    # drf-spectacular writes on what it describes, and the view itself is not to know of it.
    copy = FunctionType(method.__code__, method.__globals__, method.__name__)
    return update_wrapper(copy, method)
