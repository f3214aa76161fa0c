"""Which requests are for links, for the doors that stand in front of Django's routing."""

from directlinks.addresses import link_prefix
from directlinks.conf import conf
from directlinks.core import routes
from directlinks.core.routes import Route


def prefix_in_front() -> str | None:
    """Return what the paths of links begin with, for a door in front of the site's middleware.

    None if links are left to the view, as for tenants: only the site's middleware knows whose link
    is asked for, and the connection may still serve another tenant.
    """
    return None if conf.serves_tenants else link_prefix()


def route_of(path_info: str) -> Route | None:
    """What a request for ``path_info`` asks of us, None where it is not ours."""
    prefix = prefix_in_front()
    if prefix is None or not path_info.startswith(prefix):
        return None
    return routes.parse(path_info.removeprefix(prefix))
