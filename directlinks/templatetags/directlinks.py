"""``{% load directlinks %}``: addresses of links to files in registered fields."""

from collections.abc import Iterable
from typing import Any

from django import template
from django.db.models.fields.files import FieldFile

from directlinks.services.registering import links_for

register = template.Library()


@register.simple_tag(takes_context=True)
def direct_link(context: template.Context, file: FieldFile) -> str:
    """Return the address of the link to ``file``, "" if it is empty or may have none now."""
    (link,) = links_for([file])
    return "" if link is None else link.url(context.get("request"))


@register.simple_tag(takes_context=True)
def direct_links(
    context: template.Context, objects: Iterable[Any], field: str
) -> list[tuple[Any, str]]:
    """Return each of ``objects`` with the address of the link to the file in its ``field``.

    The same number of statements for any number of objects. The address is "" as above.
    """
    listed = list(objects)
    links = links_for([getattr(one, field) for one in listed])
    request = context.get("request")
    return [
        (one, "" if link is None else link.url(request))
        for one, link in zip(listed, links, strict=True)
    ]
