"""What request bodies hold."""

from collections.abc import Collection, Mapping
from typing import Any

from rest_framework import serializers

from directlinks.api.fields import (
    HostsField,
    MomentField,
    StringListField,
    TextField,
    TruthField,
    WholeNumberField,
)
from directlinks.core.errors import InvalidParameters
from directlinks.core.paths import name_unknown
from directlinks.services.limits import LIMITS

YEAR = 366 * 86400
# What every supported database takes for a positive integer.
_LARGEST = 2_147_483_647


class CreateDirectLinksSerializer(serializers.Serializer[Any]):
    uris = StringListField()


class RevokeSerializer(serializers.Serializer[Any]):
    ids = StringListField()


class LoginSerializer(serializers.Serializer[Any]):
    """``email`` takes a user name too."""

    # The longest address there is; SQLite refuses to search for very long texts.
    email = TextField(max_length=320)
    password = TextField(min_length=4, max_length=128)


class RefreshTokenSerializer(serializers.Serializer[Any]):
    refresh_token = TextField()


class PlainSerializer(serializers.Serializer[Any]):
    """One whose faults are told in words, unlike those that the protocol has words for."""

    def checked(self, *, beside: Collection[str] = ()) -> dict[str, Any]:
        """Return the values that were given. Raise InvalidParameters with the first fault.

        An unknown name is a fault too, unless it is in ``beside``: with a limit that is misspelt, a
        link would be made without it.
        """
        known = [*self.fields, *beside]
        if unknown := self.initial_data.keys() - set(known):
            raise InvalidParameters(f"Unknown: {name_unknown(unknown, known)}")
        if not self.is_valid():
            name, faults = next(iter(self.errors.items()))
            raise InvalidParameters(f"{name}: {faults[0]}")
        return dict(self.validated_data)


class LimitsSerializer(PlainSerializer):
    """The limits of a link; what is absent stays as it is, null takes a limit away."""

    not_before = MomentField(required=False, allow_null=True)
    expires_at = MomentField(required=False, allow_null=True)
    max_downloads = WholeNumberField(
        required=False, allow_null=True, min_value=1, max_value=_LARGEST
    )
    paused = TruthField(required=False, allow_null=True)
    password = TextField(required=False, allow_null=True, allow_blank=True, max_length=128)
    referers = HostsField(required=False, allow_null=True)
    ask_first = TruthField(required=False, allow_null=True)
    label = TextField(  # type: ignore[assignment]  # DRF takes it off the class, as all fields
        required=False, allow_null=True, allow_blank=True, max_length=255
    )
    note = TextField(required=False, allow_null=True, allow_blank=True, max_length=10_000)


class CreationSerializer(LimitsSerializer):
    """What a client may wish for beside links."""

    reuse = TruthField(required=False, default=True)
    dry_run = TruthField(required=False, default=False)
    details = TruthField(required=False, default=False)


class RotateSerializer(PlainSerializer):
    """``grace``: for how many seconds the old code still opens; null and 0: not at all."""

    grace = WholeNumberField(required=False, allow_null=True, min_value=0, max_value=YEAR)


_NOTHING = {
    "paused": False,
    "password": "",
    "referers": "",
    "ask_first": False,
    "label": "",
    "note": "",
}


def limits_in(values: Mapping[str, Any]) -> dict[str, Any]:
    """The limits among ``values`` as the services take them: empty what null takes away."""
    return {
        name: _NOTHING.get(name) if values[name] is None else values[name]
        for name in LIMITS
        if name in values
    }
