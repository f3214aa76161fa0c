"""Deleting links that are being visited, without waiting for each other for ever.

A visit locks its link to count, and then the count of its day. Django deletes days before
their links; so the links are locked before that.
"""

from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.db.models.signals import pre_delete
from django.dispatch import receiver

from directlinks.models.files import File
from directlinks.models.links import DirectLink


@receiver(pre_delete, sender=DirectLink, dispatch_uid="directlinks.models.deleting")
def lock_links(instance: DirectLink, using: str, origin: Any = None, **kwargs: Any) -> None:
    """Lock all links that go with ``origin``, what is deleted, at the first of them.

    Django says so in the transaction in which it deletes, and before it has deleted anything.
    """
    # Of a deletion that is tried again, only the first try has it in order.
    known = vars(origin if origin is not None else instance)
    if not known.get("_links_are_locked"):
        known["_links_are_locked"] = True
        DirectLink.objects.using(using).filter(**_condition(origin, instance)).lock()


def _condition(origin: Any, instance: DirectLink) -> dict[str, Any]:
    """Which links go with ``origin``: a row or a queryset, of links, files or users."""
    is_many = isinstance(origin, QuerySet)
    model = origin.model if is_many else type(origin)
    rows = origin.order_by().values("pk") if is_many else [origin.pk] if origin is not None else []
    for kind, relation in (
        (DirectLink, "pk"),
        (File, "file"),
        (get_user_model(), "file__owner"),
    ):
        if issubclass(model, kind):
            return {f"{relation}__in": rows}
    return {"pk": instance.pk}
