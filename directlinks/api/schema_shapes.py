"""What answers hold, for the schema that describes them: no answer passes through these."""

from typing import Any

from rest_framework import serializers

from directlinks.api.queries import STATES


class Shape(serializers.Serializer[Any]):
    # No docstring: the schema would repeat it for each shape that has none of its own.
    pass


class Snippets(Shape):
    """A link as it is pasted; names are escaped, and images embedded."""

    plain = serializers.CharField()
    markdown = serializers.CharField()
    html = serializers.CharField()
    bbcode = serializers.CharField()
    curl = serializers.CharField(help_text="A command line for a POSIX shell.")


class Limits(Shape):
    state = serializers.ChoiceField(choices=list(STATES))
    not_before = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    max_downloads = serializers.IntegerField(min_value=1, allow_null=True)
    paused = serializers.BooleanField()
    has_password = serializers.BooleanField()
    referers = serializers.ListField(child=serializers.CharField())
    ask_first = serializers.BooleanField()
    label = serializers.CharField(allow_blank=True)  # type: ignore[assignment]  # DRF takes it off
    note = serializers.CharField(allow_blank=True)


class IssuedLink(Shape):
    link = serializers.CharField(
        help_text="Permanent. Empty in a dry run, where the link would be new.", allow_blank=True
    )
    file_url = serializers.CharField(help_text="The URI of the file, as the caller writes it.")
    snippets = Snippets(required=False, help_text="If the query asks for them.")
    id = serializers.CharField(
        required=False,
        allow_blank=True,
        help_text="With details, as all below: the code of the link. Empty if `link` is.",
    )
    is_new = serializers.BooleanField(
        required=False, help_text="True if this request made the link, or would have made it."
    )

    def get_fields(self) -> dict[str, Any]:
        """Add the limits, which only links with details have."""
        limits = Limits().get_fields()
        for field in limits.values():
            field.required = False
        return super().get_fields() | limits


class Link(Shape):
    id = serializers.CharField(help_text="The code of the link.")
    url = serializers.CharField()
    file_url = serializers.CharField()
    name = serializers.CharField()
    downloaded = serializers.IntegerField(min_value=0)
    created_at = serializers.DateTimeField()
    last_opened_at = serializers.DateTimeField(allow_null=True)
    snippets = Snippets(required=False, help_text="If the query asks for them.")

    def get_fields(self) -> dict[str, Any]:
        """Add the limits."""
        return super().get_fields() | Limits().get_fields()


class Pagination(Shape):
    page_size = serializers.IntegerField(min_value=1)
    next_token = serializers.CharField(required=False, help_text="Absent on the last page.")


class Page(Shape):
    links = Link(many=True)
    pagination = Pagination()


class Day(Shape):
    day = serializers.DateField()
    downloaded = serializers.IntegerField(min_value=0)


class Usage(Shape):
    downloaded = serializers.IntegerField(min_value=0, help_text="In all.")
    last_opened_at = serializers.DateTimeField(allow_null=True)
    days = Day(many=True, help_text="The oldest first, without a gap.")


class ShortLink(Shape):
    id = serializers.CharField()
    url = serializers.CharField()
    downloaded = serializers.IntegerField(min_value=0)
    created_at = serializers.DateTimeField()


class ExtendedInfo(Shape):
    storage_used = serializers.IntegerField(min_value=0)
    direct_links = ShortLink(many=True, required=False, help_text="Absent without links.")


class File(Shape):
    type = serializers.IntegerField(min_value=0, max_value=1, help_text="0: a file. 1: a folder.")
    id = serializers.CharField()
    name = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    size = serializers.IntegerField(min_value=0, help_text="In bytes.")
    metadata = serializers.DictField(child=serializers.CharField())
    path = serializers.CharField(help_text="The URI of the file.")
    capability = serializers.CharField()
    owned = serializers.BooleanField(help_text="Whether the file is the caller's own.")
    primary_entity = serializers.CharField(
        allow_blank=True, help_text="Another one for each content. Empty: a folder."
    )
    extended_info = ExtendedInfo(required=False, help_text="If the query asks for it.")


class Group(Shape):
    id = serializers.CharField()
    name = serializers.CharField()
    permission = serializers.CharField(help_text="A bit set in base64.")
    direct_link_batch_size = serializers.IntegerField(
        required=False, help_text="Absent where creating links is switched off."
    )


class Account(Shape):
    id = serializers.CharField()
    email = serializers.CharField(allow_blank=True)
    nickname = serializers.CharField()
    created_at = serializers.DateTimeField()
    group = Group()


class Tokens(Shape):
    access_token = serializers.CharField()
    refresh_token = serializers.CharField()
    access_expires = serializers.DateTimeField()
    refresh_expires = serializers.DateTimeField()


class LoggedIn(Shape):
    user = Account()
    token = Tokens()


class Failure(Shape):
    """A request, or one item of a batch, that failed."""

    code = serializers.IntegerField(help_text="The HTTP status, or a number of Cloudreve's.")
    msg = serializers.CharField(allow_blank=True)
    error = serializers.CharField(required=False, help_text="For developers: with DEBUG alone.")
    correlation_id = serializers.UUIDField(help_text="It is in the server's log too.")


def envelope_of(name: str, data: serializers.Field[Any, Any, Any, Any] | None) -> type[Shape]:
    """The shape ``name`` of a success with ``data``, or without any."""
    fields: dict[str, Any] = {
        "code": serializers.IntegerField(min_value=0, max_value=0),
        "msg": serializers.CharField(allow_blank=True, max_length=0),
    }
    if data is not None:
        fields["data"] = data
    return type(name, (Shape,), fields)


def batch_of(name: str, items: serializers.Field[Any, Any, Any, Any]) -> type[Shape]:
    """The shape ``name`` of a batch that was worked through; ``items`` are not required."""
    fields = {
        "code": serializers.ChoiceField(choices=[0, 40081], help_text="0: all succeeded."),
        "data": items,
        "aggregated_error": serializers.DictField(
            child=Failure(), required=False, help_text="What failed, by what was asked."
        ),
        "msg": serializers.CharField(allow_blank=True),
        "error": serializers.CharField(required=False, help_text="With DEBUG alone."),
        "correlation_id": serializers.UUIDField(required=False, help_text="Where one failed."),
    }
    return type(name, (Shape,), fields)
