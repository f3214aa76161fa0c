"""Which requests are for links, for the doors that stand in front of Django's routing."""

from directlinks.addresses import link_prefix
from directlinks.core import routes
from directlinks.core.routes import Route


def route_of(path_info: str) -> Route | None:
    """What a request for ``path_info`` asks of us, None where it is not ours."""
    prefix = link_prefix()
    if prefix is None or not path_info.startswith(prefix):
        return None
    return routes.parse(path_info.removeprefix(prefix))
