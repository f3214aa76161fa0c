"""The REST API: the only package that imports DRF and simplejwt."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from directlinks.api.fields import DirectLinkField

__all__ = ["DirectLinkField"]


def __getattr__(name: str) -> Any:
    """Import the field when it is used: models are not loaded before."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.fields"), name)
