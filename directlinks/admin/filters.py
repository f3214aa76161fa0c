"""Filters of the lists. Those of links are counted together, in one statement."""

import re
from abc import ABC, abstractmethod
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth import get_user_model
from django.core.paginator import Paginator
from django.db.models import Case, Count, F, IntegerField, Q, QuerySet, Value, When
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from directlinks.admin.base import TITLES, owner_label, slug, visible_files, visible_links
from directlinks.core import codes
from directlinks.core.links import LinkState
from directlinks.core.uris import SITE
from directlinks.datetimes import day_of
from directlinks.models import File, FormerCode
from directlinks.querysets import DirectLinkQuerySet
from directlinks.services.locating import space_keys
from directlinks.services.statistics import downloads_by_day

SOON = timedelta(days=7)
RECENT = timedelta(days=30)

_STATES = {slug(state): state for state in TITLES}
_EXPIRING, _MISSING = "expiring-soon", "content-missing"
_LAST_OPENED = {
    "never": _("Never"),
    "recently": _("In the last 30 days"),
    "earlier": _("Longer ago"),
}


class TrashFilter(admin.SimpleListFilter):
    """Show live files, or those in the trash."""

    title = _("trash")
    parameter_name = "trash"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", _("Live")), ("yes", _("In the trash"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        return queryset.filter(deleted_at__isnull=self.value() == "no")


class Cell(NamedTuple):
    """Values of a link that filters use."""

    state: LinkState
    opened: str
    soon: bool
    missing: bool


def numbers_by_cell(links: DirectLinkQuerySet, now: datetime) -> dict[Cell, int]:
    """Return how many of ``links`` are in each cell, in one statement that reads each link once.

    Each cell is a number to the database, because rows are grouped by one number much faster than
    by four columns.
    """
    moments = _opened(now)
    kinds = [
        Cell(state, opened, soon, missing)
        for state in LinkState
        for opened in moments
        for soon in (False, True)
        for missing in (False, True)
    ]
    opened = _place(*moments.values())
    missing = _place(~Q(file__in=File.objects.filter(content="")))
    soon = _place(~Q(expires_at__lte=now + SOON))
    kind = ((F("state_place") * len(moments) + opened) * 2 + soon) * 2 + missing
    counted = links.with_state(now).annotate(kind=kind).order_by().values("kind")
    numbers = counted.annotate(number=Count("pk")).values_list("kind", "number")
    return {kinds[place]: number for place, number in numbers}


def _place(*conditions: Q) -> Case:
    """Return the index of the first of ``conditions`` that holds, or their number if none does."""
    cases = [When(condition, then=Value(place)) for place, condition in enumerate(conditions)]
    return Case(*cases, default=Value(len(conditions)), output_field=IntegerField())


def _opened(now: datetime) -> dict[str, Q]:
    """Return conditions on when a link was last opened, by choice; exactly one of them holds."""
    return {
        "never": Q(last_opened_at__isnull=True),
        "recently": Q(last_opened_at__gt=now - RECENT),
        "earlier": Q(last_opened_at__lte=now - RECENT),
    }


class LinkFilter(ABC, admin.SimpleListFilter):
    """A filter of links: ``holds`` decides for a Cell what ``queryset`` decides in SQL."""

    def expected_parameters(self) -> list[str | None]:
        return self.shared_parameters()

    @staticmethod
    def shared_parameters() -> list[str | None]:
        """Return the parameters of all link filters, which a list leaves out to count its cells."""
        return [kind.parameter_name for kind in LINK_FILTERS]

    def get_facet_queryset(self, changelist: Any) -> dict[str, int]:
        """Return how many links each choice would show under the other filters' choices."""
        chosen, numbers = choices_of(self.request), changelist.numbers()
        return {
            f"{place}__c": number_shown(numbers, {**chosen, type(self): str(choice)})
            for place, (choice, _title) in enumerate(self.lookup_choices)
        }

    @staticmethod
    @abstractmethod
    def holds(cell: Cell, choice: str | None) -> bool:
        """Return True if ``choice`` shows the links of ``cell``; an unknown choice shows all."""


class StateFilter(LinkFilter):
    """Filter links by their state."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        choices: list[tuple[str, Any]] = [(slug(state), title) for state, title in TITLES.items()]
        choices.insert(1, (_EXPIRING, _("Expiring soon")))
        return [*choices, (_MISSING, _("Content missing"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        links: Any = queryset
        now = timezone.now()
        choice = self.value()
        if choice == _MISSING:
            # What a storage lacks is not asked here: 200 000 files would be looked at.
            return queryset.filter(file__content="")
        if choice == _EXPIRING:
            expiring: QuerySet[Any] = links.in_state(LinkState.ACTIVE, now)
            return expiring.filter(expires_at__lte=now + SOON)
        return links.in_state(_STATES[choice], now) if choice in _STATES else queryset

    @staticmethod
    def holds(cell: Cell, choice: str | None) -> bool:
        if choice == _MISSING:
            return cell.missing
        if choice == _EXPIRING:
            return cell.state is LinkState.ACTIVE and cell.soon
        return cell.state is _STATES[choice] if choice in _STATES else True


class OpenedFilter(LinkFilter):
    """Filter links by when they were last opened."""

    title = _("last opened")
    parameter_name = "opened"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(_LAST_OPENED.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(_opened(timezone.now()).get(str(self.value()), Q()))

    @staticmethod
    def holds(cell: Cell, choice: str | None) -> bool:
        return choice not in _LAST_OPENED or cell.opened == choice


class OwnerFilter(admin.SimpleListFilter):
    """Filter by an owner whose name was followed: a list of all owners would be too long."""

    title = _("owner")
    parameter_name = "owner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        if self.value() is None:
            return []
        # A list makes its filters several times.
        found: list[tuple[str, Any]] | None = getattr(request, "directlinks_owners", None)
        if found is None:
            found = self._owners(request)
            request.directlinks_owners = found  # type: ignore[attr-defined]  # for the next ones
        return found

    def _owners(self, request: HttpRequest) -> list[tuple[str, Any]]:
        """Return the chosen owner if the user may see any of that owner's links."""
        keys = space_keys(str(self.value()))
        if not keys:
            raise IncorrectLookupParameters
        files = visible_files(request.user).filter(owner=keys[0])
        file = files.select_related("owner").first()
        return [] if file is None else [(str(self.value()), owner_label(file))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        owner = None if self.value() == SITE else self.value()
        return queryset if self.value() is None else queryset.filter(file__owner=owner)

    def get_facet_queryset(self, changelist: Any) -> dict[str, int]:
        return {"0__c": changelist.result_count}


LINK_FILTERS: tuple[type[LinkFilter], ...] = (StateFilter, OpenedFilter)


def number_shown(numbers: dict[Cell, int], chosen: dict[type[LinkFilter], str | None]) -> int:
    """Return how many links of ``numbers`` remain after the choices in ``chosen``."""
    return sum(
        number
        for cell, number in numbers.items()
        if all(kind.holds(cell, choice) for kind, choice in chosen.items())
    )


def choices_of(request: HttpRequest) -> dict[type[LinkFilter], str | None]:
    """Return the choice for each of LINK_FILTERS in the query string."""
    return {kind: request.GET.get(str(kind.parameter_name)) for kind in LINK_FILTERS}


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
        message = gettext(
            "This search is too long: enter up to %(words)d words and %(characters)d characters."
        ) % {"words": MOST_WORDS, "characters": MOST_CHARACTERS}
        # A list asks several times.
        if request.__dict__.setdefault("directlinks_shown", message) is message:
            self.message_user(request, message, messages.ERROR)
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
        """Search by the code if the term is a link's whole address, which people often paste."""
        address = _ADDRESS.search(search_term)
        if address is not None:
            search_term = address[1] or address[2]
        keys = self._found(request, search_term) if search_term else None
        if keys is None:
            return super().search(request, queryset, search_term)
        return queryset.filter(pk__in=keys), False

    def _found(self, request: HttpRequest, term: str) -> list[Any] | None:
        """Return the keys of the visible links that ``term`` finds, or None if there are too many.

        A list asks for its rows, their number and the facets with the same search each time.
        """
        known: dict[str, list[Any]] = request.__dict__.setdefault("directlinks_found", {})
        if term not in known:
            visible = visible_links(request.user)
            links, _duplicates = super().search(request, visible, term)
            # A former code may still open its link: it is searched for to stop it.
            links |= visible.filter(pk__in=FormerCode.objects.filter(code=term).values("link"))
            known[term] = list(links.order_by().values_list("pk", flat=True)[: _FEW + 1])
        return known[term] if len(known[term]) <= _FEW else None


class LaggingChangeList(ChangeList):
    """A list that may come from a replica, unless an action is asked to change what it finds."""

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: list[str | None] | None = None
    ) -> Any:
        if request.method != "POST":
            root: Any = self.root_queryset
            self.root_queryset = root.may_lag()
        return super().get_queryset(request, exclude_parameters)


class LinkChangeList(LaggingChangeList):
    """A page of links, each with the downloads of its last days as ``recent``."""

    request: HttpRequest

    def get_results(self, request: HttpRequest) -> None:
        self.request = request
        if self.add_facets:
            # Who counts the facets knows how many rows there are: they are not counted again.
            queryset: Any = self.queryset
            queryset.known_number = number_shown(self.numbers(), choices_of(request))
        super().get_results(request)
        links: list[Any] = list(self.result_list)
        days = downloads_by_day([link.pk for link in links], today=day_of(timezone.now()))
        for link in links:
            link.recent = days[link.pk]
        self.result_list = links

    def numbers(self) -> dict[Cell, int]:
        """Return how many links of each kind the list has without its LINK_FILTERS."""
        return self._numbers

    @cached_property
    def _numbers(self) -> dict[Cell, int]:
        links: Any = self.get_queryset(
            self.request, exclude_parameters=LinkFilter.shared_parameters()
        )
        return numbers_by_cell(links, timezone.now())


class LinkPaginator(Paginator):  # type: ignore[type-arg]  # not generic at run time
    """Counts the rows, unless the list knows their number."""

    @cached_property
    def count(self) -> int:
        known: int | None = getattr(self.object_list, "known_number", None)
        return super().count if known is None else known
