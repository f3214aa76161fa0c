"""``{% load directlinks %}``: addresses of links to files in registered fields."""

from collections.abc import Iterable, Sequence
from typing import Any

from django import template
from django.db.models.fields.files import FieldFile

from directlinks.services.linking import is_saved, links_for

register = template.Library()


@register.simple_tag(takes_context=True)
def direct_link(context: template.Context, file: object) -> str:
    """Return the address of the link to ``file``.

    It is "" if there is no file, if its object is not saved, or if it cannot be linked now.
    """
    return _addresses(context, [file])[0]


@register.simple_tag(takes_context=True)
def direct_links(
    context: template.Context, objects: Iterable[Any], field: str
) -> list[tuple[Any, str]]:
    """Return each of ``objects`` with the address of the link to the file in its ``field``.

    The same number of statements for any number of objects. The address is "" as above.
    """
    listed = list(objects)
    files = [getattr(one, field) for one in listed]
    return list(zip(listed, _addresses(context, files), strict=True))


def _addresses(context: template.Context, files: Sequence[object]) -> list[str]:
    linkable = [file for file in files if isinstance(file, FieldFile) and file and is_saved(file)]
    # Each file is another object here, also if two are equal.
    links = dict(zip(map(id, linkable), links_for(linkable), strict=True))
    request = context.get("request")
    return ["" if (link := links.get(id(file))) is None else link.url(request) for file in files]
