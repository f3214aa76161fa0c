"""The fast lane under WSGI: links are answered in front of Django's middleware and routing.

A site's ``wsgi.py`` imports ``get_wsgi_application`` from here instead of from Django. No
middleware of the site sees a link then; ``contrib/fastlane/middleware.py`` lists what that skips.
"""

import django
from django.core.handlers.wsgi import WSGIHandler
from django.utils.module_loading import import_string


def get_wsgi_application() -> WSGIHandler:
    """Return Django's application, with links answered in front of it."""
    django.setup(set_prefix=False)
    # By its path, because models cannot be imported before Django is set up.
    handler: WSGIHandler = import_string("directlinks.contrib.fastlane.wsgi.DirectLinksWSGI")(
        WSGIHandler()
    )
    return handler
