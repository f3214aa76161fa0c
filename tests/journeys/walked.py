"""The five journeys: create, reuse, a visit by the view and by the fast lane, login."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.core.handlers.wsgi import WSGIHandler
from werkzeug.test import Client

from directlinks.models import File
from directlinks.wsgi import get_wsgi_application


def journeys() -> dict[str, Callable[[], object]]:
    """Return the journeys by their names, each in a process that has done it before."""
    ada: Any = get_user_model().objects.create_user("ada", password="secret")
    for number in range(2):
        name = f"{number}.txt"
        File.objects.create(owner=ada, path=name, content=ContentFile(b"text", name=name))
    site, lane = Client(WSGIHandler()), Client(get_wsgi_application())
    answers: dict[str, Any] = {}

    def log_in() -> None:
        sent = {"email": "ada", "password": "secret"}
        answer: Any = site.post("/api/v4/session/token", json=sent)
        answers["token"] = answer.json["data"]["token"]["access_token"]

    def create(number: int) -> None:
        headers = {"Authorization": f"Bearer {answers['token']}"}
        uris = {"uris": [f"cloudreve://my/{number}.txt"]}
        answer: Any = site.put("/api/v4/file/source", json=uris, headers=headers)
        (item,) = answer.json["data"]
        answers["link"] = "/" + item["link"].split("/", 3)[3]

    def follow(client: Client) -> None:
        answer = client.get(answers["link"])
        assert answer.status_code == 302, answer.status

    log_in()
    create(0)
    for client in (site, lane):
        follow(client)
    return {
        "create": lambda: create(1),
        "reuse": lambda: create(1),
        "visit, view": lambda: follow(site),
        "visit, lane": lambda: follow(lane),
        "login": log_in,
    }
