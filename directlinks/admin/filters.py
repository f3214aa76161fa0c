"""The filters of the lists. Those of links are counted together, in one statement."""

from abc import ABC, abstractmethod
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Case, Count, F, IntegerField, Q, QuerySet, Value, When
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from directlinks.admin.states import TITLES, slug
from directlinks.admin.visible import visible_files
from directlinks.core.links import LinkState
from directlinks.models import File
from directlinks.querysets import DirectLinkQuerySet
from directlinks.services.locating import user_keys

SOON = timedelta(days=7)
RECENT = timedelta(days=30)

_STATES = {slug(state): state for state in TITLES}
_EXPIRING, _MISSING = "expiring-soon", "bytes-missing"
_MOMENTS = {
    "never": _("Never"),
    "recently": _("In the last 30 days"),
    "earlier": _("Longer ago"),
}


class TrashFilter(admin.SimpleListFilter):
    title = _("trash")
    parameter_name = "trash"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", _("Live")), ("yes", _("In the trash"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        return queryset.filter(deleted_at__isnull=self.value() == "no")


class Cell(NamedTuple):
    """All that the filters know of a link."""

    state: LinkState
    opened: str
    soon: bool
    missing: bool


def numbers_by_cell(links: DirectLinkQuerySet, now: datetime) -> dict[Cell, int]:
    """How many of ``links`` there are of each kind, in one statement that reads each link once.

    What a link is, is one number to the database: rows are grouped by it much faster than by four
    columns.
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
    """Which of ``conditions`` is the first that holds, as a number; behind the last, if none."""
    cases = [When(condition, then=Value(place)) for place, condition in enumerate(conditions)]
    return Case(*cases, default=Value(len(conditions)), output_field=IntegerField())


def _opened(now: datetime) -> dict[str, Q]:
    """When a link was last opened, by the name of the choice; one of them always holds."""
    return {
        "never": Q(last_opened_at__isnull=True),
        "recently": Q(last_opened_at__gt=now - RECENT),
        "earlier": Q(last_opened_at__lte=now - RECENT),
    }


class LinkFilter(ABC, admin.SimpleListFilter):
    """A filter of links: ``holds`` says of a Cell what ``queryset`` asks of the database."""

    def expected_parameters(self) -> list[str | None]:
        return self.shared_parameters()

    @staticmethod
    def shared_parameters() -> list[str | None]:
        """Those of all of them, which a list can so leave out at once to count what there is."""
        return [kind.parameter_name for kind in LINK_FILTERS]

    def get_facet_queryset(self, changelist: Any) -> dict[str, int]:
        """How many links each choice would show, given what the other filters have chosen."""
        chosen, numbers = choices_of(self.request), changelist.numbers()
        return {
            f"{place}__c": number_shown(numbers, {**chosen, type(self): str(choice)})
            for place, (choice, _title) in enumerate(self.lookup_choices)
        }

    @staticmethod
    @abstractmethod
    def holds(cell: Cell, choice: str | None) -> bool:
        """Whether ``choice`` shows the links of ``cell``; what is no choice shows all."""


class StateFilter(LinkFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        choices: list[tuple[str, Any]] = [(slug(state), title) for state, title in TITLES.items()]
        choices.insert(1, (_EXPIRING, _("Expiring soon")))
        return [*choices, (_MISSING, _("Bytes missing"))]

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
    title = _("last opened")
    parameter_name = "opened"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(_MOMENTS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(_opened(timezone.now()).get(str(self.value()), Q()))

    @staticmethod
    def holds(cell: Cell, choice: str | None) -> bool:
        return choice not in _MOMENTS or cell.opened == choice


class OwnerFilter(admin.SimpleListFilter):
    """The owner whose name was followed: a list of all owners would be too long to choose from."""

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
        """The one that was chosen, if the user may see anything of theirs."""
        keys = user_keys(str(self.value()))
        if not keys:
            raise IncorrectLookupParameters
        files = visible_files(request.user).filter(owner__in=keys)
        file = files.select_related("owner").first()
        return [] if file is None else [(str(self.value()), str(file.owner))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset if self.value() is None else queryset.filter(file__owner=self.value())

    def get_facet_queryset(self, changelist: Any) -> dict[str, int]:
        return {"0__c": changelist.result_count}


LINK_FILTERS: tuple[type[LinkFilter], ...] = (StateFilter, OpenedFilter)


def number_shown(numbers: dict[Cell, int], chosen: dict[type[LinkFilter], str | None]) -> int:
    """How many links remain of ``numbers`` after the choices in ``chosen``."""
    return sum(
        number
        for cell, number in numbers.items()
        if all(kind.holds(cell, choice) for kind, choice in chosen.items())
    )


def choices_of(request: HttpRequest) -> dict[type[LinkFilter], str | None]:
    """What the address of the page chooses of each of LINK_FILTERS."""
    return {kind: request.GET.get(str(kind.parameter_name)) for kind in LINK_FILTERS}
