"""Print the figures of the cut.

    python -m tests.journeys

Counted are the modules whose functions run, in a process that has done the same before: the files
that a reader who follows the journey opens.
"""

import os
from importlib import import_module

import django
from django.test.utils import setup_databases, setup_test_environment, teardown_databases

from tests.journeys.cut import cut, opened_by


def main() -> None:
    for what, number in cut().items():
        print(f"{what:28} {number:4}")
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()
    setup_test_environment()
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        # Models cannot be imported before Django is set up.
        journeys = import_module("tests.journeys.walked").journeys()
        for name, journey in journeys.items():
            modules = opened_by(journey)
            print(f"{name + ', modules':28} {len(modules):4}")
            print(*(f"    {module}" for module in modules), sep="\n")
    finally:
        teardown_databases(databases, verbosity=0)


main()
