"""What request bodies hold."""

from typing import Any

from rest_framework import serializers


class URIListField(serializers.Field[list[str], Any, list[str], Any]):
    """A list of one or more strings, taken as they are."""

    default_error_messages = {
        "invalid": "Expected a list of strings.",
        "empty": "Expected one URI at least.",
    }

    def to_internal_value(self, data: Any) -> list[str]:
        # In one go: an error for each of a million wrong items would be an attack on our memory.
        if not isinstance(data, list) or not all(isinstance(item, str) for item in data):
            self.fail("invalid")
        if not data:
            self.fail("empty")
        return data


class TextField(serializers.CharField):
    """A string, taken as it is; a number is none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class CreateDirectLinksSerializer(serializers.Serializer[Any]):
    uris = URIListField()


class LoginSerializer(serializers.Serializer[Any]):
    """``email`` takes a user name too."""

    # The longest address there is; SQLite refuses to search for very long texts.
    email = TextField(max_length=320)
    password = TextField(min_length=4, max_length=128)


class RefreshTokenSerializer(serializers.Serializer[Any]):
    refresh_token = TextField()
