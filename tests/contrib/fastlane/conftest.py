"""The fixtures of tests through whole handlers, the same as in tests/security."""

from tests.security import conftest
from tests.security.conftest import *  # noqa: F403

__all__ = conftest.__all__
