"""The lists of files and links; that of links fetches what its rows need for all at once."""

from functools import cached_property
from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.utils import timezone

from directlinks.admin.filters import Cell, LinkFilter, choices_of, number_shown, numbers_by_cell
from directlinks.datetimes import day_of
from directlinks.services.statistics import downloads_by_day


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
        """How many links of each kind the list would have, if its LINK_FILTERS chose nothing."""
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
