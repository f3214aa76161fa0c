"""A site that is set up otherwise, to run the whole suite on it once more.

It stores times without a zone, by clocks that show one hour twice each autumn. It writes dates and
numbers as Germans do: 2000, where its keys begin, is 2.000; the words stay English, because the
tests read them. Languages are part of addresses, nothing appends slashes, sessions hold for the
admin alone, and there is a second admin site.

    DJANGO_SETTINGS_MODULE=tests.settings_hostile pytest --ignore tests/core --ignore tests/real
"""

from tests.settings import *  # noqa: F403
from tests.settings import MIDDLEWARE

LANGUAGE_CODE = "en"
USE_TZ = False
TIME_ZONE = "Europe/Berlin"
USE_THOUSAND_SEPARATOR = True
FORMAT_MODULE_PATH = "tests.formats"
APPEND_SLASH = False
SESSION_COOKIE_PATH = "/admin/"
ROOT_URLCONF = "tests.urls_hostile"

FIRST_KEY = 2000
"""The primary key of the first row of each table that has pages."""

_SESSIONS = MIDDLEWARE.index("django.contrib.sessions.middleware.SessionMiddleware")
MIDDLEWARE = [
    *MIDDLEWARE[: _SESSIONS + 1],
    "django.middleware.locale.LocaleMiddleware",
    *MIDDLEWARE[_SESSIONS + 1 :],
]

_SHANGHAI = "it spells out what the clocks of an ordinary site, in Shanghai, show"
_NUMBER = "it spells out a number without separators"
_DATE = "it spells out a date as Americans do"
_AWARE = "the example project gives its datetimes time zones, which MySQL refuses without USE_TZ"

# Tests of how an ordinary site writes dates and numbers, by file and name, each with the reason.
LEFT_OUT = {
    "tests/admin/test_files.py": {
        "TestList::test_it_shows_each_file_with_the_number_of_its_links": _NUMBER,
    },
    "tests/admin/test_link_page.py": {"TestFacts::test_use_is_drawn_and_told": _NUMBER},
    "tests/admin/test_links.py": {
        "TestForm::test_limits_are_edited": _SHANGHAI,
        "TestList::test_it_shows_addresses_state_owner_use_and_file": _NUMBER,
        "TestList::test_when_it_was_opened_is_a_day": _DATE,
    },
    "tests/api/test_serializers.py": {
        "test_a_site_without_time_zones_gets_its_own_time": _SHANGHAI,
    },
    "tests/api/test_links.py": {"TestStatistics::test_days_are_those_of_the_site": _SHANGHAI},
    "tests/api/test_session.py": {
        "TestLogin::test_a_naive_date_of_joining_is_in_the_sites_time_zone": _SHANGHAI,
    },
    "tests/example_project/test_showcase.py": {
        "test_there_is_something_to_see_in_every_list": _AWARE,
        "test_the_days_of_a_link_come_to_its_downloads": _AWARE,
        "test_showing_it_twice_shows_the_same_links_with_other_days": _AWARE,
    },
    "tests/management/test_base.py": {
        "test_a_moment_is_in_the_time_zone_of_the_site_unless_it_names_one": _SHANGHAI,
    },
    "tests/services/test_importing.py": {
        "TestImporting::test_a_moment_without_a_zone_is_in_the_sites": _SHANGHAI,
        "TestImporting::test_a_site_without_time_zones_keeps_moments_without": _SHANGHAI,
    },
    "tests/services/test_pruning.py": {"test_days_are_those_of_the_sites_time_zone": _SHANGHAI},
    "tests/services/test_statistics.py": {
        "test_days_without_downloads_are_there_too": _SHANGHAI,
        "test_one_day_is_today": _SHANGHAI,
    },
    "tests/sql/test_links.py": {
        "test_a_moment_of_another_time_zone_is_the_same_datetime": (
            "it gives a time zone to a moment, which a site without them does not store"
        ),
    },
}
