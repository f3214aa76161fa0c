"""A serializer field for your own serializers: the address of the link to a file."""

from typing import Any

from django.db.models import QuerySet
from django.db.models.fields.files import FieldFile
from rest_framework import serializers

from directlinks.models import DirectLink
from directlinks.services.registering import links_for


class DirectLinkField(serializers.Field[Any, Any, str | None, Any]):
    """The absolute address of the link to a file in a registered field; ``source`` names it.

    It is read-only. The value is None if the file is empty or may have no links now. With
    ``many=True`` the links of all objects are found, or made, together.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "read_only": True})

    def to_representation(self, value: FieldFile) -> str | None:
        link = self._link(value)
        return None if link is None else link.url(self.context.get("request"))

    def _link(self, file: FieldFile) -> DirectLink | None:
        objects = self._objects()
        if objects is None:
            return links_for([file])[0]
        known: dict[int, DirectLink | None] | None = getattr(self, "_links", None)
        if known is None or id(file.instance) not in known:
            files: list[Any] = [self.get_attribute(one) for one in objects]
            pairs = zip(files, links_for(files), strict=True)
            known = self._links = {id(one.instance): link for one, link in pairs}
        return known[id(file.instance)]

    def _objects(self) -> list[Any] | None:
        """Return the objects of the list that is being represented, None if it is not known."""
        above = getattr(self.parent, "parent", None)
        objects = getattr(above, "instance", None)
        # Anything else would be read once more.
        return list(objects) if isinstance(objects, list | tuple | QuerySet) else None
