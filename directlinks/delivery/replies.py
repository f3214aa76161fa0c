"""Answers that are a status and headers, and no body of ours: most answers to a link."""

from typing import NamedTuple

from django.http import HttpResponse


class Reply(NamedTuple):
    """What a door that makes no response object can send as it is: values are Latin-1 text."""

    status: int
    headers: dict[str, str]

    def response(self) -> HttpResponse:
        """The same for Django."""
        response = HttpResponse(status=self.status, headers=self.headers)
        if "Content-Type" not in self.headers:
            del response.headers["Content-Type"]  # of no body
        return response
