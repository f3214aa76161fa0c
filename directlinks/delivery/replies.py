"""Answers for doors that make no response object of Django's."""

from typing import NamedTuple

from django.http import HttpResponse

from directlinks.delivery.streaming import Blocks


class Reply(NamedTuple):
    """What can be sent as it is: values are Latin-1 text. Most answers have no body."""

    status_code: int
    headers: dict[str, str]
    body: Blocks | None = None

    def response(self) -> HttpResponse:
        """One without a body, for Django."""
        response = HttpResponse(status=self.status_code, headers=self.headers)
        if "Content-Type" not in self.headers:
            del response.headers["Content-Type"]  # of no body
        return response
