"""The documents and images of Wagtail as files that may have links, unless they are private."""

from functools import partial, wraps
from typing import Any

from django.apps import apps
from django.db import transaction
from django.db.models import Exists, Model, OuterRef
from django.db.models.functions import Left, Length
from django.db.models.signals import post_delete, post_save, pre_save
from wagtail.documents import get_document_model
from wagtail.images import get_image_model
from wagtail.models import Collection, CollectionViewRestriction

from directlinks import registry
from directlinks.registry import Condition, Registration
from directlinks.services import following
from directlinks.services.mirrors import objects_of

FIELD = "file"


def is_public() -> Condition:
    """Return the condition that neither an object's collection nor one above it is private."""
    above = Left(OuterRef("collection__path"), Length("collection__path"))
    restrictions = CollectionViewRestriction.objects.filter(collection__path=above)
    return ~Exists(restrictions.exclude(restriction_type=CollectionViewRestriction.NONE))


def models() -> list[type[Model]]:
    """Return the models of documents and images, as far as the site has them."""
    apps_of_models = {
        "wagtail.documents": get_document_model,
        "wagtail.images": get_image_model,
    }
    return [get() for app, get in apps_of_models.items() if apps.is_installed(app)]


def register() -> None:
    """Register the models, except those that the site has registered itself."""
    for model in models():
        if registry.registration_named(f"{registry.label_of(model)}.{FIELD}") is None:
            following.register(model, FIELD, when=is_public())


def registrations() -> list[Registration]:
    """Return the registrations of the models, also those of the site."""
    found = (registry.registrations_of(model) for model in models())
    return [one for those in found for one in those if one.field_name == FIELD]


def follow_collections() -> None:
    """Follow what makes a collection private or public.

    treebeard moves collections by SQL of its own, and sends no signal.
    """
    pre_save.connect(_note_collection, sender=CollectionViewRestriction)
    post_save.connect(_follow_restriction, sender=CollectionViewRestriction)
    post_delete.connect(_follow_restriction, sender=CollectionViewRestriction)
    move = Collection.move

    @wraps(move)
    def move_and_follow(collection: Any, *args: Any, **kwargs: Any) -> None:
        move(collection, *args, **kwargs)
        _follow_collection(collection.pk)

    Collection.move = move_and_follow


def follow(objects: list[Any]) -> None:
    """Update the links of ``objects``, which were changed without a signal of theirs."""
    keys = [one.pk for one in objects]
    for registration in registrations():
        if any(isinstance(one, registration.model) for one in objects):
            following.follow(registration, objects_of(registration).filter(pk__in=keys))


def _note_collection(instance: Any, **kwargs: Any) -> None:
    """Note the collection that a restriction may be moved away from."""
    rows = CollectionViewRestriction.objects.filter(pk=instance.pk)
    instance.directlinks_before = list(rows.values_list("collection_id", flat=True))


def _follow_restriction(instance: Any, **kwargs: Any) -> None:
    for key in {instance.collection_id, *getattr(instance, "directlinks_before", ())}:
        _follow_collection(key)


def _follow_collection(key: Any) -> None:
    """Update the links of all that is in a collection and in those below it.

    Once more after the commit: meanwhile another transaction may have linked what is in it.
    """
    _follow_now(key)
    transaction.on_commit(partial(_follow_now, key))


def _follow_now(key: Any) -> None:
    for path in Collection.objects.filter(pk=key).values_list("path", flat=True):
        for registration in registrations():
            inside = objects_of(registration).filter(collection__path__startswith=path)
            following.follow(registration, inside)
