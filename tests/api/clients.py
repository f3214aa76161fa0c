"""A client of the API, as thin as curl: JSON in, the answer out."""

import json
from typing import Any
from urllib.parse import urlencode

from django.test import Client
from rest_framework_simplejwt.tokens import AccessToken

BASE = "/api/v4/"


class APIClient:
    """Calls the API as ``user``, by an access token; as nobody where there is none."""

    def __init__(self, user: Any | None = None, **headers: str) -> None:
        self.headers = headers
        if user is not None:
            self.headers["Authorization"] = f"Bearer {AccessToken.for_user(user)}"
        self.client = Client(raise_request_exception=False)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """``body`` goes out as JSON, or as it is where it is bytes."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.generic(
            method,
            BASE + path,
            data if body is not None else b"",
            content_type="application/json",
            headers={**self.headers, **headers},
        )

    def put(self, *uris: str) -> Any:
        return self.call("PUT", "file/source", {"uris": list(uris)})

    def delete(self, code: str) -> Any:
        return self.call("DELETE", f"file/source/{code}")

    def get(self, path: str, **query: Any) -> Any:
        return self.call("GET", f"{path}?{urlencode(query)}")

    def patch(self, code: str, **limits: Any) -> Any:
        return self.call("PATCH", f"file/source/{code}", limits)
