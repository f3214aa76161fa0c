"""The search in the lists of files and links."""

import re
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from directlinks.admin.visible import visible_links
from directlinks.core import codes
from directlinks.models import FormerCode

# Of what does not begin like an address, it is one only with a name behind the code: a path may
# have such a folder too.
_ADDRESS = re.compile(
    rf"(?:^|://[^?#]*)/f/(?:d/)?({codes.PATTERN})(?:[/?#]|$)|/f/(?:d/)?({codes.PATTERN})/"
)
# Up to this number of keys are kept for the length of a request.
_FEW = 1000


# An address with the longest of names fits. Each word is compared with each of the fields, and
# SQLite accepts no more than a thousand conditions.
MOST_CHARACTERS, MOST_WORDS = 2000, 50


class BoundedSearch(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Refuses a search that is too long for expressions and databases, and says so."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if len(search_term) <= MOST_CHARACTERS and len(search_term.split()) <= MOST_WORDS:
            return self.search(request, queryset, search_term)
        told = _(
            "This search is too long: enter up to %(words)d words and %(characters)d characters."
        ) % {"words": MOST_WORDS, "characters": MOST_CHARACTERS}
        # A list asks several times.
        if request.__dict__.setdefault("directlinks_told", told) is told:
            self.message_user(request, told, messages.ERROR)
        return queryset.none(), False

    def search(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search as Django does."""
        return super().get_search_results(request, queryset, search_term)


class LinkSearch(BoundedSearch):
    """Finds links by any of their texts; no index helps, so a page searches only once."""

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        owner = f"file__owner__{get_user_model().USERNAME_FIELD}"
        return ("code", "name", "file__path", owner, "label")

    def search(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """What is at hand is often the whole address, of which the code is enough."""
        address = _ADDRESS.search(search_term)
        if address is not None:
            search_term = address[1] or address[2]
        keys = self._found(request, search_term) if search_term else None
        if keys is None:
            return super().search(request, queryset, search_term)
        return queryset.filter(pk__in=keys), False

    def _found(self, request: HttpRequest, term: str) -> list[Any] | None:
        """The keys of all that the user may see of what ``term`` finds; None where they are many.

        A list asks for its rows, for their number and for the facets: each time the same.
        """
        known: dict[str, list[Any]] = request.__dict__.setdefault("directlinks_found", {})
        if term not in known:
            visible = visible_links(request.user)
            links, _duplicates = super().search(request, visible, term)
            # A former code may still open its link: it is searched for to stop it.
            links |= visible.filter(pk__in=FormerCode.objects.filter(code=term).values("link"))
            known[term] = list(links.order_by().values_list("pk", flat=True)[: _FEW + 1])
        return known[term] if len(known[term]) <= _FEW else None
