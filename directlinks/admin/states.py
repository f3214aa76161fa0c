"""What the states of links are called, and how they look in a list."""

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from directlinks.core.links import LinkState

TITLES = {
    LinkState.ACTIVE: _("Active"),
    LinkState.NOT_YET: _("Not yet"),
    LinkState.PAUSED: _("Paused"),
    LinkState.EXPIRED: _("Expired"),
    LinkState.USED_UP: _("Used up"),
    LinkState.OWNER_INACTIVE: _("Owner inactive"),
    LinkState.TRASHED: _("Trashed"),
    LinkState.REVOKED: _("Revoked"),
}
"""In the order in which people look for them: what opens, what may open again, what is dead."""


def slug(state: LinkState) -> str:
    """The state in addresses of pages and names of CSS classes."""
    return state.name.lower().replace("_", "-")


def badge(state: LinkState) -> SafeString:
    """The state as a word in its colour; the colour alone says nothing."""
    return format_html('<span class="dl-badge dl-{}">{}</span>', slug(state), str(TITLES[state]))
