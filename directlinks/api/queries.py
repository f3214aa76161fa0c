"""What query strings hold. An empty value is as good as none."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from directlinks.api.fields import MomentField, QueryTruthField, TextField
from directlinks.api.serializers import PlainSerializer
from directlinks.core import uris
from directlinks.core.links import LinkState
from directlinks.services.listing import ORDERS, Order, Wanted
from directlinks.services.statistics import DAYS

MOST_DAYS = 366
PAGE_SIZE, MAX_PAGE_SIZE = 50, 200

STATES = {state.name.lower(): state for state in LinkState}
"""The states of a link as the API calls them."""


class SnippetsQuery(PlainSerializer):
    snippets = QueryTruthField(required=False, default=False)


class ListQuery(SnippetsQuery):
    """``page_size`` may be any number from 1 on, but a page is never longer than MAX_PAGE_SIZE."""

    uri = TextField(required=False)
    state = serializers.ChoiceField(choices=list(STATES), required=False)
    label = TextField(required=False, max_length=255)  # type: ignore[assignment]  # as there
    created_after = MomentField(required=False)
    created_before = MomentField(required=False)
    order_by = serializers.ChoiceField(choices=list(ORDERS), required=False, default="created_at")
    order_direction = serializers.ChoiceField(
        choices=["asc", "desc"], required=False, default="desc"
    )
    page_size = serializers.IntegerField(required=False, default=PAGE_SIZE, min_value=1)
    next_token = TextField(required=False)

    def wanted(self) -> Wanted:
        values = self.validated_data
        return Wanted(
            uri=uris.parse(values["uri"]) if "uri" in values else None,
            state=STATES.get(values.get("state")),
            label=values.get("label"),
            created_after=values.get("created_after"),
            created_before=values.get("created_before"),
        )

    def order(self) -> Order:
        values = self.validated_data
        return Order(values["order_by"], descending=values["order_direction"] == "desc")


class StatisticsQuery(PlainSerializer):
    days = serializers.IntegerField(required=False, default=DAYS, min_value=1, max_value=MOST_DAYS)


class InfoQuery(PlainSerializer):
    uri = TextField(required=False)
    id = TextField(required=False)
    extended = QueryTruthField(required=False, default=False)


def query_of(request: Request) -> dict[str, Any]:
    """Return the query string of ``request``: of a name that comes twice, the last value.

    ``format`` means nothing here, as it would to DRF.
    """
    values = request.query_params.items()
    return {name: value for name, value in values if value and name != "format"}
