"""The fast lane under ASGI: ``get_asgi_application`` for a site's ``asgi.py``.

See ``wsgi.py`` for what it skips.
"""

import django
from django.core.handlers.asgi import ASGIHandler
from django.utils.module_loading import import_string


def get_asgi_application() -> ASGIHandler:
    """Return Django's application, with links answered in front of it."""
    django.setup(set_prefix=False)
    # By its path, because models cannot be imported before Django is set up.
    handler: ASGIHandler = import_string("directlinks.contrib.fastlane.asgi.DirectLinksASGI")(
        ASGIHandler()
    )
    return handler
