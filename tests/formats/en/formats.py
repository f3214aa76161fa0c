"""English words, and dates and numbers as Germans write them."""

from django.conf.locale.de.formats import *  # type: ignore[import-untyped]  # noqa: F403
