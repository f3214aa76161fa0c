import logging
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from example_project.server import only_errors_logged, serving


def test_the_static_files_of_the_admin_are_served() -> None:
    with serving() as site, urlopen(f"{site}/static/admin/css/base.css") as answer:
        assert answer.status == 200


def test_nobody_answers_once_it_is_over() -> None:
    with serving() as site:
        pass
    with pytest.raises(URLError, match="refused"):
        urlopen(site)


def test_warnings_are_silent_for_a_while_and_errors_are_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logger = logging.getLogger("directlinks")
    with only_errors_logged():
        logger.warning("an expected 404")
        logger.error("something broke")
    logger.warning("heard again")
    assert caplog.messages == ["something broke", "heard again"]
