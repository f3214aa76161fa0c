"""What the wsgi.py and the asgi.py of a site import."""

from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import pytest
from django.test import RequestFactory

from directlinks.asgi import get_asgi_application
from directlinks.wsgi import get_wsgi_application
from tests.factories import DirectLinkFactory
from tests.serving.doors import Seen, through_asgi, through_wsgi

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("make", "through"),
    [(get_wsgi_application, through_wsgi), (get_asgi_application, through_asgi)],
)
def test_an_application_opens_links_and_leaves_the_rest_to_the_site(
    make: Callable[[], Any], through: Callable[..., Seen]
) -> None:
    link, application = DirectLinkFactory(), make()
    assert through(application, link.get_absolute_url(), "GET", {}).status == 302
    assert through(application, "/admin/", "GET", {}).headers["location"].startswith("/admin/login")
    link.refresh_from_db()
    assert link.downloads == 1


def test_a_server_may_leave_out_a_path_that_is_empty() -> None:
    """As PEP 3333 allows for the root of a mount point."""
    environ = RequestFactory().get("/").environ
    del environ["PATH_INFO"]
    start_response: Any = Mock()
    get_wsgi_application()(environ, start_response)
    start_response.assert_called_once()
