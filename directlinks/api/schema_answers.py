"""How the schema describes what calls take and answer; for schema.py alone."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema_serializer
from rest_framework import serializers

from directlinks.api import schema_shapes as shapes

_JSON = "application/json"
_CORRELATION = "21e6adf9-8c4b-4d0e-8200-7ebfb235a07f"

# What a failure means, by HTTP status.
_MEANINGS = {
    400: "40001: something in the request is not what it should be; `msg` says what. "
    "40014, 40074: more at once than the user may send, than the site accepts.",
    401: "401: login required. 40020: a refresh token where an access token belongs, or one "
    "that has ended. 40080: wrong name or password.",
    403: "403: not allowed, or a session without its CSRF token. 40007: the site has switched "
    "creating links off. 40018: the account is inactive. 40082: the site's policy refuses.",
    404: "404: no such link, or not yours. 40016: no such path. 40077: a folder, or bytes gone.",
    409: "409: the Idempotency-Key came with another request.",
    411: "411: the server cannot read a body without a `Content-Length`.",
    413: "413: the body is too large.",
    429: "429: too many attempts; `Retry-After` says for how long.",
    503: "503: the database is away; `Retry-After` says when to try again.",
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


def answers(shape: type[shapes.Shape], *failures: int, **examples: Any) -> dict[Any, Any]:
    """What a call answers: 200 with ``shape``, and each of ``failures`` with a failure."""
    # Else drf-spectacular takes the answer to a call named "list" for a bare list.
    success = extend_schema_serializer(many=False)(shape)
    shown = [OpenApiExample(name, value, response_only=True) for name, value in examples.items()]
    described: dict[Any, Any] = {
        (200, _JSON): OpenApiResponse(success, "Worked through.", examples=shown)
    }
    for status in sorted(failures):
        known = [OpenApiExample("Failure", _FAILED)] if status == 404 else []
        described[status, _JSON] = OpenApiResponse(
            shapes.Failure, _MEANINGS[status], examples=known
        )
    return described


def body(serializer: type[serializers.Serializer[Any]]) -> dict[str, Any]:
    return {_JSON: serializer}
