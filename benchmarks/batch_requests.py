"""Batches through the API, in the process of a site: ours, and the usual loop.

It runs inside the site that is measured, and prints what ``benchmarks.batch`` reads.
"""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import RequestFactory
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework_simplejwt.tokens import AccessToken

from directlinks.api.base import EnvelopeView, django_request, json_object
from directlinks.api.serializers import CreateDirectLinksSerializer
from directlinks.api.views import DirectLinkViewSet
from directlinks.conf import conf
from directlinks.core import envelope, paths, uris
from directlinks.core.envelope import Batch
from directlinks.core.errors import EntityNotExist, NotOwner, PathNotExist
from directlinks.models import DirectLink, File
from directlinks.policies import site_policy
from directlinks.reporting import correlation_id

# Of the size that has a goal, and of the others. The first round warms up and is not told.
ROUNDS, FEW_ROUNDS = 5, 2
GOAL_SIZE = 1000


class LoopView(EnvelopeView):
    """The same answer with the same rules, by ``get`` and ``get_or_create`` for each URI."""

    def put(self, request: Request) -> Response:
        serializer = CreateDirectLinksSerializer(data=json_object(django_request(request)))
        serializer.is_valid(raise_exception=True)
        policy = site_policy()
        user: Any = request.user
        batch: Batch[dict[str, str]] = Batch()
        for text in serializer.validated_data["uris"]:
            uri = uris.parse(text)
            try:
                file = File.objects.get(owner=user, path_key=paths.key(uri.path))
            except File.DoesNotExist:
                batch.errors[uri.canonical] = PathNotExist(element=paths.name(uri.path))
                continue
            if not policy.allows(user, file):
                batch.errors[uri.canonical] = NotOwner()
                continue
            if not file.content or not file.content.storage.exists(str(file.content)):
                batch.errors[uri.canonical] = EntityNotExist()
                continue
            link, _ = DirectLink.objects.get_or_create(
                file=file,
                reuse_name=file.name,
                defaults={"name": file.name, "created_by": user},
            )
            address = request.build_absolute_uri(link.get_absolute_url())
            batch.items.append({"link": address, "file_url": uri.file_url()})
        identity = correlation_id(django_request(request))
        return Response(envelope.from_batch(batch, correlation_id=identity, debug=conf.debug))


def main(sizes: Sequence[int]) -> None:
    """Print, as JSON, what each size costs: see ``benchmarks.batch.Cost``."""
    owner = get_user_model().objects.get(username="ada")
    names = add_files(owner, max(sizes))
    token = str(AccessToken.for_user(owner))
    views = {
        "batch": DirectLinkViewSet.as_view({"put": "update"}),
        "loop": LoopView.as_view(),
    }
    costs = []
    for size in sizes:
        body = json.dumps({"uris": [f"cloudreve://my/{name}" for name in names[:size]]})
        asks = {name: asking(view, body, token, size) for name, view in views.items()}
        costs.append({"uris": size, **measured(asks, size)})
    print(json.dumps(costs))


def add_files(owner: Any, number: int) -> list[str]:
    """The paths of ``number`` new files, each with bytes of its own."""
    names = [f"photos/2026/IMG_{place:04}.jpg" for place in range(number)]
    folder = Path(settings.MEDIA_ROOT)
    for place in range(number):
        (folder / f"{place:032x}").mkdir(parents=True)
        (folder / f"{place:032x}" / "photo.jpg").write_bytes(b"photo")
    File.objects.bulk_create(
        File(
            owner=owner,
            path=name,
            path_key=paths.key(name),
            path_head=name,
            content=f"{place:032x}/photo.jpg",
            size=5,
            content_type="image/jpeg",
            version=f"{place:032x}",
            content_updated_at=timezone.now(),
        )
        for place, name in enumerate(names)
    )
    if connection.vendor == "postgresql":
        # As autovacuum does within a minute on a site, and here in the midst of the rounds.
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    return names


def asking(view: Any, body: str, token: str, size: int) -> Callable[[], Any]:
    """One request for ``size`` links; what it returns are their addresses."""

    def ask() -> Any:
        request = RequestFactory().put(
            "/api/v4/file/source",
            body,
            content_type="application/json",
            headers={"Authorization": f"Bearer {token}", "Host": "127.0.0.1"},
        )
        return view(request).render()

    def checked() -> Any:
        answer = json.loads(ask().content)
        assert answer["code"] == 0, answer
        assert len({item["link"] for item in answer["data"]}) == size
        return answer["data"]

    ask.checked = checked  # type: ignore[attr-defined]
    return ask


def measured(asks: dict[str, Callable[[], Any]], size: int) -> dict[str, Any]:
    """Seconds of every round, and the number of statements, by kind and way."""
    seconds: dict[str, list[float]] = {}
    statements: dict[str, int] = {}
    for number in range(1 + (ROUNDS if size == GOAL_SIZE else FEW_ROUNDS)):
        answers = []
        for way, ask in asks.items():
            DirectLink.objects.all()._raw_delete(connection.alias)
            for kind in ("create", "reuse"):
                key = f"{way} {kind}"
                if number == 0:
                    statements[key] = statements_of(ask)
                else:
                    seconds.setdefault(key, []).append(seconds_of(ask))
            answers.append(ask.checked())  # type: ignore[attr-defined]
    return {"seconds": seconds, "statements": statements}


def statements_of(work: Callable[[], Any]) -> int:
    """Django's own log of them holds no more than 9000."""
    number = 0

    def count(execute: Any, *statement: Any) -> Any:
        nonlocal number
        number += 1
        return execute(*statement)

    with connection.execute_wrapper(count):
        work()
    return number


def seconds_of(work: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
