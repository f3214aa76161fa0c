"""Permanent direct links for the files of any Django site."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from directlinks.registry import DELETE, REVOKE
    from directlinks.services.following import register
    from directlinks.services.linking import link_for, links_for

__all__ = ["DELETE", "REVOKE", "link_for", "links_for", "register"]
__version__ = "0.1.0"

_MODULES = {
    "DELETE": "registry",
    "REVOKE": "registry",
    "link_for": "services.linking",
    "links_for": "services.linking",
    "register": "services.following",
}


def __getattr__(name: str) -> Any:
    """Import the public functions when they are used: models are not loaded before."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
