"""Permanent direct links for the files of any Django site."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from directlinks.registry import DELETE, REVOKE
    from directlinks.services.registering import link_for, links_for, register

__all__ = ["DELETE", "REVOKE", "link_for", "links_for", "register"]
__version__ = "0.1.0"

_MODULES = {"DELETE": "registry", "REVOKE": "registry"}


def __getattr__(name: str) -> Any:
    """Import the public functions when they are used: models are not loaded before."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f"{__name__}.{_MODULES.get(name, 'services.registering')}")
    return getattr(module, name)
