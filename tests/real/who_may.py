"""The authorisation table of a site with any user model: a program for its processes.

Each kind of user makes every call of the API for a file of their own and for one of another user,
by an access token and by the site's own authentication, and follows the links of both. Then what
Python says of all links is put beside what the database says.
"""

import json
from base64 import b64encode
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote

from django.contrib.auth import get_user_model
from django.core import checks
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone
from rest_framework_simplejwt.tokens import AccessToken

from directlinks.api.authentication import token_pair
from directlinks.core.links import LinkState
from directlinks.core.uris import file_url
from directlinks.models import DirectLink, File
from directlinks.sql import get_link_queries
from directlinks.sql.orm import ORMLinkQueries

PASSWORD = "correct horse"


class Caller:
    """Calls the API as the person of this e-mail address, or without logging in."""

    def __init__(self, email: str, way: str) -> None:
        basic = b64encode(f"{email}:{PASSWORD}".encode()).decode()
        self.headers = {"Authorization": f"Basic {basic}" if way == "basic" else token_of(email)}
        self.client = Client(raise_request_exception=False)

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.client.generic(
            method,
            f"/api/v4/{path}",
            b"" if body is None else json.dumps(body).encode(),
            content_type="application/json",
            headers=self.headers,
        )
        return answer.json()


def token_of(email: str) -> str:
    """An access token, also for those who could not log in: it may be from before."""
    return f"Bearer {AccessToken.for_user(person_called(email))}"


def person_called(email: str) -> Any:
    return get_user_model()._default_manager.get(email=email)


def add_link(owner: Any, path: str) -> Any:
    content = ContentFile(b"some bytes", name="a.txt")
    file = File.objects.create(owner=owner, path=path, content=content)
    return DirectLink.objects.create(file=file, reuse_name=file.name)


def uri_of(link: Any) -> str:
    return file_url(link.file.path, str(link.file.owner_id))


def first_code(answer: Any) -> int:
    """The code of an answer, or of the only one of its errors."""
    for error in (answer.get("aggregated_error") or {}).values():
        return int(error["code"])
    return int(answer["code"])


def listed(answer: Any, link: Any) -> int:
    """0 if the link is on the list; else the code of the answer, or 404."""
    if answer["code"]:
        return int(answer["code"])
    return 0 if link.code in [item["id"] for item in answer["data"]["links"]] else 404


CALLS: dict[str, Callable[[Caller, Any], int]] = {
    "create": lambda call, link: first_code(call("PUT", "file/source", {"uris": [uri_of(link)]})),
    "list": lambda call, link: listed(call("GET", "file/source"), link),
    "info": lambda call, link: int(call("GET", f"file/info?uri={quote(uri_of(link))}")["code"]),
    "read": lambda call, link: int(call("GET", f"file/source/{link.code}")["code"]),
    "statistics": lambda call, link: int(
        call("GET", f"file/source/{link.code}/statistics")["code"]
    ),
    "change": lambda call, link: int(
        call("PATCH", f"file/source/{link.code}", {"label": "x"})["code"]
    ),
    "rotate": lambda call, link: int(call("POST", f"file/source/{link.code}/rotate", {})["code"]),
    "revoke many": lambda call, link: first_code(
        call("POST", "file/source/revoke", {"ids": [link.code]})
    ),
    "delete": lambda call, link: int(call("DELETE", f"file/source/{link.code}")["code"]),
}


def log_in(email: str) -> dict[str, int]:
    """What a login and a refresh answer."""
    client = Client(raise_request_exception=False)

    def post(path: str, body: Any) -> int:
        answer = client.post(f"/api/v4/{path}", json.dumps(body), content_type="application/json")
        return int(answer.json()["code"])

    refresh = token_pair(person_called(email))["refresh_token"]
    return {
        "login": post("session/token", {"email": email, "password": PASSWORD}),
        "refresh": post("session/token/refresh", {"refresh_token": refresh}),
    }


def table_of(email: str, number: int) -> dict[str, Any]:
    """The codes of all calls of one person, and the statuses of visits."""
    person, neighbour = person_called(email), person_called("neighbour@example.org")
    rows: dict[str, Any] = {"session": log_in(email), "own": {}, "foreign": {}}
    for way in ("token", "basic"):
        for whose, owner in (("own", person), ("foreign", neighbour)):
            rows[whose][way] = {
                name: call(Caller(email, way), add_link(owner, f"{number}/{way}/{name}.txt"))
                for name, call in CALLS.items()
            }
    rows["visits"] = [
        Client().get(add_link(person, f"{number}/v/{way}.txt").get_absolute_url()).status_code
        for way in ("one", "two")
    ]
    return rows


def judgements(now: datetime) -> dict[str, list[str]]:
    """What each way to judge a link says of one link of each person."""
    said: dict[str, list[str]] = {}
    written, plain = get_link_queries(), ORMLinkQueries("default")
    for link in DirectLink.objects.with_file().filter(file__path__endswith="/v/one.txt"):
        state = link.state(now)
        rows = [asked.fetch(link.code, now) for asked in (written, plain)]
        rows += [asked.fetch_by_key(link.pk) for asked in (written, plain)]
        mine = DirectLink.objects.filter(pk=link.pk)
        place = mine.with_state(now).get().state_place
        opened = [asked.count(link.pk, now, now.date()) for asked in (written, plain)]
        if written.can_claim:
            claimed = written.claim(link.code, link.name, now, now.date())
            opened.append(claimed is not None)
        said[link.file.owner.email] = [
            state.value,
            *sorted({row.state(now).value for row in rows if row is not None}),
            *[other.value for other in LinkState if mine.in_state(other, now).exists()],
            list(LinkState)[place].value,
            *sorted({str(opens) for opens in opened}),
        ]
    return said


def document() -> dict[str, Any]:
    """All that is to be known of this site."""
    people = get_user_model()._default_manager.exclude(email="neighbour@example.org")
    emails = list(people.order_by("pk").values_list("email", flat=True))
    return {
        "checks": [error.msg for error in checks.run_checks() if error.id == "directlinks.E033"],
        "tables": {email: table_of(email, number) for number, email in enumerate(emails)},
        "judgements": judgements(timezone.now()),
    }
