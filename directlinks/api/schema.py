"""OpenAPI schema for sites that have drf-spectacular installed; see docs/api.md.

Importing this module is enough: drf-spectacular finds the extensions below.
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
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_serializer,
)
from rest_framework import serializers

from directlinks.api.serializers import (
    STATES,
    CreateDirectLinksSerializer,
    CreationSerializer,
    InfoQuery,
    LimitsSerializer,
    ListQuery,
    LoginSerializer,
    RefreshTokenSerializer,
    RevokeSerializer,
    RotateSerializer,
    SnippetsQuery,
    StatisticsQuery,
)


class Shape(serializers.Serializer[Any]):
    # No docstring: the schema would repeat it for each shape that has none of its own.
    pass


class Snippets(Shape):
    """A link as it is pasted; names are escaped, and images embedded."""

    plain = serializers.CharField()
    markdown = serializers.CharField()
    html = serializers.CharField()
    bbcode = serializers.CharField()
    curl = serializers.CharField(help_text="A command line for a POSIX shell.")


class Limits(Shape):
    state = serializers.ChoiceField(choices=list(STATES))
    not_before = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    max_downloads = serializers.IntegerField(min_value=1, allow_null=True)
    paused = serializers.BooleanField()
    has_password = serializers.BooleanField()
    referers = serializers.ListField(child=serializers.CharField())
    ask_first = serializers.BooleanField()
    label = serializers.CharField(allow_blank=True)  # type: ignore[assignment]  # DRF takes it off
    note = serializers.CharField(allow_blank=True)


class IssuedLink(Shape):
    link = serializers.CharField(
        help_text="Permanent. Empty in a dry run if the link would be new.", allow_blank=True
    )
    file_url = serializers.CharField(help_text="The URI of the file, as the caller writes it.")
    snippets = Snippets(required=False, help_text="If the query asks for them.")
    id = serializers.CharField(
        required=False,
        allow_blank=True,
        help_text="With details, as all below: the code of the link. Empty if `link` is.",
    )
    is_new = serializers.BooleanField(
        required=False, help_text="True if this request made the link, or would have made it."
    )

    def get_fields(self) -> dict[str, Any]:
        """Add the limits, which only links with details have."""
        limits = Limits().get_fields()
        for field in limits.values():
            field.required = False
        return super().get_fields() | limits


class Link(Shape):
    id = serializers.CharField(help_text="The code of the link.")
    url = serializers.CharField()
    file_url = serializers.CharField()
    name = serializers.CharField()
    downloaded = serializers.IntegerField(min_value=0)
    created_at = serializers.DateTimeField()
    last_opened_at = serializers.DateTimeField(allow_null=True)
    snippets = Snippets(required=False, help_text="If the query asks for them.")

    def get_fields(self) -> dict[str, Any]:
        """Add the limits."""
        return super().get_fields() | Limits().get_fields()


class Pagination(Shape):
    page_size = serializers.IntegerField(min_value=1)
    next_token = serializers.CharField(required=False, help_text="Absent on the last page.")


class Page(Shape):
    links = Link(many=True)
    pagination = Pagination()


class Day(Shape):
    day = serializers.DateField()
    downloaded = serializers.IntegerField(min_value=0)


class Usage(Shape):
    downloaded = serializers.IntegerField(min_value=0, help_text="In total.")
    last_opened_at = serializers.DateTimeField(allow_null=True)
    days = Day(many=True, help_text="The oldest first, without a gap.")


class ShortLink(Shape):
    id = serializers.CharField()
    url = serializers.CharField()
    downloaded = serializers.IntegerField(min_value=0)
    created_at = serializers.DateTimeField()


class ExtendedInfo(Shape):
    storage_used = serializers.IntegerField(min_value=0)
    direct_links = ShortLink(many=True, required=False, help_text="Absent without links.")


class File(Shape):
    type = serializers.IntegerField(min_value=0, max_value=1, help_text="0: a file. 1: a folder.")
    id = serializers.CharField()
    name = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    size = serializers.IntegerField(min_value=0, help_text="In bytes.")
    metadata = serializers.DictField(child=serializers.CharField())
    path = serializers.CharField(help_text="The URI of the file.")
    capability = serializers.CharField()
    owned = serializers.BooleanField(help_text="True if the file is the caller's own.")
    primary_entity = serializers.CharField(
        allow_blank=True, help_text="Another one for each content. Empty: a folder."
    )
    extended_info = ExtendedInfo(required=False, help_text="If the query asks for it.")


class Group(Shape):
    id = serializers.CharField()
    name = serializers.CharField()
    permission = serializers.CharField(help_text="A bit set in base64.")
    direct_link_batch_size = serializers.IntegerField(
        required=False, help_text="Absent if creating links is switched off."
    )


class Account(Shape):
    id = serializers.CharField()
    email = serializers.CharField(allow_blank=True)
    nickname = serializers.CharField()
    created_at = serializers.DateTimeField()
    group = Group()


class Tokens(Shape):
    access_token = serializers.CharField()
    refresh_token = serializers.CharField()
    access_expires = serializers.DateTimeField()
    refresh_expires = serializers.DateTimeField()


class LoggedIn(Shape):
    user = Account()
    token = Tokens()


class Failure(Shape):
    """A request, or one item of a batch, that failed."""

    code = serializers.IntegerField(help_text="The HTTP status, or a number of Cloudreve's.")
    msg = serializers.CharField(allow_blank=True)
    error = serializers.CharField(required=False, help_text="For developers: with DEBUG alone.")
    correlation_id = serializers.UUIDField(help_text="It is in the server's log too.")


def envelope_of(name: str, data: serializers.Field[Any, Any, Any, Any] | None) -> type[Shape]:
    """Return the shape ``name`` of a success with ``data``, or without data."""
    fields: dict[str, Any] = {
        "code": serializers.IntegerField(min_value=0, max_value=0),
        "msg": serializers.CharField(allow_blank=True, max_length=0),
    }
    if data is not None:
        fields["data"] = data
    return type(name, (Shape,), fields)


def batch_of(name: str, items: serializers.Field[Any, Any, Any, Any]) -> type[Shape]:
    """Return the shape ``name`` of a processed batch; ``items`` are not required."""
    fields = {
        "code": serializers.ChoiceField(choices=[0, 40081], help_text="0: all succeeded."),
        "data": items,
        "aggregated_error": serializers.DictField(
            child=Failure(), required=False, help_text="Failures, by URI or code."
        ),
        "msg": serializers.CharField(allow_blank=True),
        "error": serializers.CharField(required=False, help_text="Only with DEBUG."),
        "correlation_id": serializers.UUIDField(required=False, help_text="If one failed."),
    }
    return type(name, (Shape,), fields)


_JSON = "application/json"
_CORRELATION = "21e6adf9-8c4b-4d0e-8200-7ebfb235a07f"

# What a failure means, by HTTP status.
_MEANINGS = {
    400: "40001: the request is invalid; `msg` says why. "
    "40014, 40074: more URIs than the user may send, or than the site accepts.",
    401: "401: login required. 40020: a refresh token used as an access token, or one "
    "that has ended. 40080: wrong username or password.",
    403: "403: not allowed, or a session without its CSRF token. 40007: the site has switched "
    "creating links off. 40018: the account is inactive. 40082: the site's policy refuses.",
    404: "404: no such link, or not yours. 40016: no such path. 40077: a folder, or no contents.",
    409: "409: the Idempotency-Key came with another request.",
    411: "411: the server cannot read a body without a `Content-Length`.",
    413: "413: the body is too large.",
    429: "429: too many attempts; `Retry-After` says for how long.",
    503: "503: the database is unavailable; `Retry-After` says when to try again.",
}
# A site may throttle every view by its REST_FRAMEWORK settings.
ALWAYS = (400, 401, 429, 503)
WRITING = (*ALWAYS, 403, 411, 413)

_FAILED = {
    "code": 404,
    "msg": "Direct link not found",
    "correlation_id": _CORRELATION,
}
PARTLY = {
    "code": 40081,
    "data": [
        {
            "link": "https://example.org/f/9UfC6hqxQuey5psUhZRJWs/gradient.png",
            "file_url": "cloudreve://my/photos/gradient.png",
        }
    ],
    "aggregated_error": {
        "cloudreve://my/photos/lost.jpg": {
            "code": 40016,
            "msg": "Path not exist",
            "correlation_id": _CORRELATION,
        }
    },
    "msg": 'failed to get target file: failed to walk into "lost.jpg": '
    "Path not exist: ent: file not found",
    "correlation_id": _CORRELATION,
}


def answers(shape: type[Shape], *failures: int, **examples: Any) -> dict[Any, Any]:
    """Return the responses of a call: 200 with ``shape``, and each status of ``failures``."""
    # Else drf-spectacular takes the answer to a call named "list" for a bare list.
    success = extend_schema_serializer(many=False)(shape)
    shown = [OpenApiExample(name, value, response_only=True) for name, value in examples.items()]
    described: dict[Any, Any] = {
        (200, _JSON): OpenApiResponse(success, "Success, possibly partial.", examples=shown)
    }
    for status in sorted(failures):
        known = [OpenApiExample("Failure", _FAILED)] if status == 404 else []
        described[status, _JSON] = OpenApiResponse(Failure, _MEANINGS[status], examples=known)
    return described


def body(serializer: type[serializers.Serializer[Any]]) -> dict[str, Any]:
    """Return the request body that ``serializer`` describes."""
    return {_JSON: serializer}


class MakeLinks(CreateDirectLinksSerializer, CreationSerializer):
    """URIs of files, and options for all their links."""


class _Lists(OpenApiSerializerFieldExtension):
    target_class = "directlinks.api.serializers.StringListField"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        return {"type": "array", "items": {"type": "string"}, "minItems": 1}


class _Hosts(OpenApiSerializerFieldExtension):
    target_class = "directlinks.api.serializers.HostsField"

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


_ONE_LINK = envelope_of("LinkEnvelope", Link())
_NOTHING = envelope_of("Envelope", None)
_TOKENS = envelope_of("TokensEnvelope", Tokens())
_CODE = OpenApiParameter(
    "code",
    str,
    OpenApiParameter.PATH,
    pattern="^[0-9A-Za-z_-]{4,64}$",
    description="Code of the link.",
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
        "summary": "Create links, or return existing ones",
        "parameters": [SnippetsQuery, _KEY],
        "request": body(MakeLinks),
        "responses": answers(
            batch_of("IssuedLinksEnvelope", IssuedLink(many=True, required=False)),
            *WRITING,
            409,
            Partly=PARTLY,
        ),
    },
    "list": {
        "operation_id": "listLinks",
        "summary": "List links",
        "parameters": [ListQuery],
        "responses": answers(envelope_of("PageEnvelope", Page()), *ALWAYS),
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
        "responses": answers(envelope_of("UsageEnvelope", Usage()), *ALWAYS, 404),
    },
}


class _Links(OpenApiViewExtension):
    target_class = "directlinks.api.views.DirectLinkViewSet"

    def view_replacement(self) -> Any:
        return _described(self.target_class, _OPERATIONS, tag="links")


class _Revocation(OpenApiViewExtension):
    target_class = "directlinks.api.views.RevocationViewSet"

    def view_replacement(self) -> Any:
        revoke = {
            "operation_id": "revokeLinks",
            "summary": "Revoke many links, for good",
            "request": body(RevokeSerializer),
            "responses": answers(
                batch_of(
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
    target_class = "directlinks.api.views.FileInfoView"

    def view_replacement(self) -> Any:
        show = {
            "operation_id": "showFile",
            "summary": "Show a file and its links",
            "parameters": [OpenApiParameter("uri", str, required=True), InfoQuery],
            "responses": answers(envelope_of("FileEnvelope", File()), *ALWAYS, 403, 404),
        }
        return _described(self.target_class, {"get": show}, tag="files")


class _Session(OpenApiViewExtension):
    target_class = "directlinks.api.session.SessionTokenView"

    def view_replacement(self) -> Any:
        log_in = {
            "operation_id": "logIn",
            "summary": "Log in",
            "request": body(LoginSerializer),
            "responses": answers(envelope_of("LoginEnvelope", LoggedIn()), *WRITING),
        }
        log_out = {
            "operation_id": "logOut",
            "summary": "Log out",
            # OpenAPI 3.0 has no word for the body of a DELETE.
            "description": 'Ends a refresh token; the body is `{"refresh_token": "…"}`.',
            "responses": answers(
                envelope_of("EmptyEnvelope", serializers.CharField(allow_blank=True, max_length=0)),
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
    """Return ``view`` with its ``operations`` described, for drf-spectacular alone."""
    methods = {
        name: extend_schema(tags=[tag], **options)(_copy_of(getattr(view, name)))
        for name, options in operations.items()
    }
    return type(view.__name__, (view,), methods)


def _copy_of(method: Any) -> Callable[..., Any]:
    # drf-spectacular writes on what it describes, and the view itself is not to know of it.
    copy = FunctionType(method.__code__, method.__globals__, method.__name__)
    return update_wrapper(copy, method)
