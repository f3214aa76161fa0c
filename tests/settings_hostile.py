"""A site that is set up otherwise, to run the whole suite on it once more.

It keeps times without a zone, by clocks that show one hour twice each autumn; numbers from 1000 on
are written with a separator; languages are part of addresses; nothing appends slashes; sessions
hold for the admin alone; there is a second admin site.

    DJANGO_SETTINGS_MODULE=tests.settings_hostile pytest --ignore tests/core --ignore tests/real
"""

from tests.settings import *  # noqa: F403
from tests.settings import MIDDLEWARE

USE_TZ = False
TIME_ZONE = "Europe/Berlin"
USE_THOUSAND_SEPARATOR = True
LANGUAGE_CODE = "de"
APPEND_SLASH = False
SESSION_COOKIE_PATH = "/admin/"
ROOT_URLCONF = "tests.urls_hostile"

_SESSIONS = "django.contrib.sessions.middleware.SessionMiddleware"
MIDDLEWARE = [
    middleware
    for one in MIDDLEWARE
    for middleware in (
        [one, "django.middleware.locale.LocaleMiddleware"] if one == _SESSIONS else [one]
    )
]
