"""A serializer field for your own serializers: the address of the link to a file."""

from contextlib import suppress
from typing import Any

from django.db.models import QuerySet
from django.db.models.fields.files import FieldFile
from rest_framework import serializers

from directlinks.models import DirectLink
from directlinks.services.linking import is_saved, links_for


class DirectLinkField(serializers.Field[Any, Any, str | None, Any]):
    """The absolute address of the link to a file in a registered field; ``source`` names it.

    It is read-only. The value is None if the file is empty, its object is not saved, or it cannot
    be linked now. If the serializer is called with ``many=True``, the links of all objects are
    found, or made, together; in a list within another serializer they are not.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "read_only": True})
        self._links: dict[tuple[type, Any], DirectLink | None] = {}

    def to_representation(self, value: FieldFile) -> str | None:
        if not is_saved(value):
            return None
        if _place(value) not in self._links:
            files = [value, *self._others()]
            self._links |= zip(map(_place, files), links_for(files), strict=True)
        link = self._links[_place(value)]
        return None if link is None else link.url(self.context.get("request"))

    def _others(self) -> list[FieldFile]:
        """Return the files of all objects of the list that is being represented."""
        above = getattr(self.parent, "parent", None)
        objects = getattr(above, "instance", None)
        # Anything else than these would be read once more.
        if not isinstance(above, serializers.ListSerializer) or not isinstance(
            objects, list | tuple | QuerySet
        ):
            return []
        files = []
        for one in objects:
            # An object on the way to its file may be missing.
            with suppress(serializers.SkipField):
                file = self.get_attribute(one)
                if isinstance(file, FieldFile) and is_saved(file):
                    files.append(file)
        return files


def _place(file: FieldFile) -> tuple[type, Any]:
    return type(file.instance), file.instance.pk
