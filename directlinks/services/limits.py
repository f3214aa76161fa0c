"""Setting the limits of links, and the ceilings that a site sets on them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from directlinks.conf import conf
from directlinks.core.links import EMPTY
from directlinks.datetimes import in_utc
from directlinks.models import DirectLink
from directlinks.users import users

EDITABLE_FIELDS = tuple(EMPTY)
"""The fields that the manager of a link may set, under the same names as in the model."""


@dataclass(frozen=True, slots=True)
class Ceilings:
    """Highest limits that a user's links may have; None is no ceiling."""

    life: timedelta | None
    downloads: int | None


def apply_limits(link: DirectLink, limits: Mapping[str, Any], *, user: Any, now: datetime) -> None:
    """Set ``limits``, values by the names in EDITABLE_FIELDS, on ``link``, which is not saved.

    A password comes in as it is typed and is kept as a hash; "" takes it away. Raises
    ValidationError for values that are wrong in themselves, contradict each other, or exceed what
    the site or the groups of ``user`` allow. A moment in the past is none of these.
    """
    _set(link, limits)
    if {"expires_at", "max_downloads"} & limits.keys():
        _check_ceilings(link, limits, ceilings(user), now=now)


def limits_of_new(limits: Mapping[str, Any], *, user: Any, now: datetime) -> dict[str, Any]:
    """Return the columns of new links of ``user``: ``limits``, and the site's defaults.

    Raise ValidationError as ``apply_limits`` does. A password is hashed once, so the links of one
    batch share its salt. A reader of the table learns that they have one password, which the batch
    gave them anyway; guessing it is as slow as for one link, and a batch of a thousand is not a
    thousand runs of a hasher that is meant to be slow.
    """
    most = ceilings(user)
    wanted = {**_defaults(most, now), **limits}
    if not wanted:
        return {}
    link = DirectLink()
    _set(link, wanted)
    _check_ceilings(link, wanted, most, now=now)
    return {name: getattr(link, name) for name in wanted}


def is_reusable(columns: Mapping[str, Any], *, reuse: bool) -> bool:
    """Return True if a new link with ``columns`` is the reusable one, if ``reuse`` asks for that.

    A link with limits or a label is dedicated, as is every link if ``REUSE`` is off.
    """
    return reuse and conf.REUSE and not any(columns.values())


def _set(link: DirectLink, limits: Mapping[str, Any]) -> None:
    if unknown := limits.keys() - set(EDITABLE_FIELDS):
        raise TypeError(f"No limits of a link: {', '.join(sorted(unknown))}")
    for name, value in limits.items():
        if name == "password":
            link.password = make_password(value) if value else ""
        else:
            setattr(link, name, value)
    link.clean_fields(exclude={field.name for field in link._meta.fields} - set(EDITABLE_FIELDS))
    link.clean()


def _defaults(most: Ceilings, now: datetime) -> dict[str, Any]:
    limits: dict[str, Any] = {}
    lives = [life for life in (conf.default_life, most.life) if life is not None]
    if lives:
        limits["expires_at"] = now + min(lives)
    if most.downloads is not None:
        limits["max_downloads"] = most.downloads
    return limits


def ceilings(user: Any) -> Ceilings:
    """Return the ceilings of ``user``: those of the site, and of the user's groups.

    Among groups the most generous counts. One statement, if the site limits any group at all.
    """
    groups = _limits_of_groups(user)
    lives = [life for life in (conf.max_life, _most([g["MAX_LIFE"] for g in groups])) if life]
    return Ceilings(
        life=min(lives) if lives else None,
        downloads=_most([group.get("MAX_DOWNLOADS") for group in groups]),
    )


def _limits_of_groups(user: Any) -> list[dict[str, Any]]:
    limited = conf.group_limits
    if not limited or user is None or not hasattr(user, "groups"):
        return []
    groups = user.groups.using(users().db)
    names = groups.filter(name__in=limited).values_list("name", flat=True)
    return [limited[name] for name in names]


def _most(values: list[Any]) -> Any:
    """Return the highest of ``values``, among which None is higher than all."""
    return None if not values or None in values else max(values)


def _check_ceilings(
    link: DirectLink, limits: Mapping[str, Any], most: Ceilings, *, now: datetime
) -> None:
    if "expires_at" in limits and most.life is not None:
        latest = (link.created_at or now) + most.life
        if link.expires_at is None or link.expires_at > latest:
            shown = in_utc(latest).isoformat(timespec="seconds")
            fault = _("The link must expire by %(latest)s.") % {"latest": shown}
            raise ValidationError({"expires_at": fault}, code="too_long")
    wanted = link.max_downloads
    if (
        "max_downloads" in limits
        and most.downloads is not None
        and (wanted is None or wanted > most.downloads)
    ):
        fault = _("At most %(most)d downloads are allowed.") % {"most": most.downloads}
        raise ValidationError({"max_downloads": fault}, code="too_many")
