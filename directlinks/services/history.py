"""Who changed which link: kept where Django's admin keeps what people did."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.apps import apps

from directlinks.models import DirectLink

CHANGE = 2  # django.contrib.admin.models.CHANGE, which cannot be imported on a site without admin


def remember(links: Iterable[DirectLink], changes: Sequence[dict[str, Any]], *, user: Any) -> None:
    """Write down that ``user`` did ``changes``, in the form of admin's change messages.

    One statement for all ``links``. Nothing is written where nobody is known to have done it, or
    where the site has no admin to show it.
    """
    links = list(links)
    if (
        user is None
        or user.pk is None
        or not links
        or not apps.is_installed("django.contrib.admin")
    ):
        return
    apps.get_model("admin", "LogEntry").objects.log_actions(
        user.pk, links, CHANGE, change_message=list(changes), single_object=False
    )
