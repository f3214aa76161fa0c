"""Error responses to visitors: an envelope to programs, a page to people."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from directlinks.conf import conf
from directlinks.core import envelope
from directlinks.core.errors import (
    ConfirmationRequired,
    DirectLinksError,
    LinkGone,
    LinkNotFound,
    PasswordRequired,
    RefererRefused,
    ServiceUnavailable,
    StorageError,
    TooManyAttempts,
    WrongPassword,
)
from directlinks.core.paths import strip_bidi_controls
from directlinks.delivery.headers import PRIVATE
from directlinks.reporting import correlation_id

NEVER_STORED = {"Cache-Control": "private, no-store", **PRIVATE}

# A page of ours runs nothing and is in no frame, so no other site can lay itself over the form of a
# password. There is no form-action: the form leads to the link, and that may lead to a bucket.
FOR_PAGES = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "font-src 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Frame-Options": "DENY",
}

# No scheme of the registry means this; a 401 must name one (RFC 9110, section 11.6.1).
CHALLENGE = 'X-Link-Password realm="direct link"'


def error_response(request: HttpRequest, error: DirectLinksError) -> HttpResponse:
    """Return the answer to a visit that failed with ``error``."""
    response = _page(request, error) if _prefers_html(request) else _envelope(request, error)
    for name, value in NEVER_STORED.items():
        response.headers[name] = value
    response.headers["Content-Length"] = str(len(response.content))
    if isinstance(error, PasswordRequired):
        response.headers["WWW-Authenticate"] = CHALLENGE
    if error.seconds is not None:
        response.headers["Retry-After"] = str(error.seconds)
    return response


def _envelope(request: HttpRequest, error: DirectLinksError) -> HttpResponse:
    body = envelope.from_error(error, correlation_id=correlation_id(request), debug=conf.debug)
    return HttpResponse(
        envelope.encode(body), status=error.code.http_status, content_type=envelope.CONTENT_TYPE
    )


def _page(request: HttpRequest, error: DirectLinksError) -> HttpResponse:
    language = _language_of_page(request, error)
    with translation.override(language):
        title, advice = _explanation(error)
        if isinstance(error, ConfirmationRequired):
            advice %= filesizeformat(error.size)
        context: dict[str, Any] = {
            "title": title,
            "advice": advice,
            "correlation_id": correlation_id(request),
            "is_wrong": isinstance(error, WrongPassword),
            "language": language,
            "is_right_to_left": language.partition("-")[0] in settings.LANGUAGES_BIDI,
        }
        # The site's context processors may need the database.
        about = None if isinstance(error, ServiceUnavailable) else request
        text = render_to_string(f"directlinks/{_template(error)}.html", context, about)
    headers = {"Content-Language": language, **FOR_PAGES}
    return HttpResponse(text, status=error.code.http_status, headers=headers)


def _language_of_page(request: HttpRequest, error: DirectLinksError) -> str:
    """Return the language in which the visitor can be told of ``error``.

    It is the visitor's, which no middleware may have found out yet, if there is a translation;
    else the site's, if there is one; else English.
    """
    language = translation.get_language_from_request(request)
    with translation.override(None):
        english = _explanation(error)
    shown = _explained_in(language, error)
    if shown == english:
        return language if language.partition("-")[0] == "en" else "en"
    # Django shows the site's own language instead of one that has no translation.
    return (
        settings.LANGUAGE_CODE
        if shown == _explained_in(settings.LANGUAGE_CODE, error)
        else language
    )


def _explained_in(language: str, error: DirectLinksError) -> tuple[str, str]:
    with translation.override(language):
        return _explanation(error)


def _template(error: DirectLinksError) -> str:
    if isinstance(error, ConfirmationRequired):
        return "confirm"
    return "password" if isinstance(error, PasswordRequired) else "failure"


def _prefers_html(request: HttpRequest) -> bool:
    try:
        return request.get_preferred_type(["application/json", "text/html"]) == "text/html"
    except (LookupError, ValueError):  # Django cannot read this Accept header
        return False


def _explanation(error: DirectLinksError) -> tuple[str, str]:
    """Return a title, and what the reader can do next, in which ``%s`` is the size of a file."""
    if isinstance(error, LinkGone):
        return _("This link is no longer valid"), _(
            "Ask the person who sent it to you for a new one."
        )
    if isinstance(error, LinkNotFound):
        return (
            _("This link does not work"),
            _("Check that you copied the whole address, or ask the person who sent it to you."),
        )
    if isinstance(error, PasswordRequired):
        return _("This file is password-protected"), _("Ask the person who sent you the link.")
    if isinstance(error, ConfirmationRequired):
        return strip_bidi_controls(error.name), _("Press the button to get the file (%s).")
    if isinstance(error, RefererRefused):
        return (
            _("This link does not open from another site"),
            _("Open it from the site that published it."),
        )
    if isinstance(error, TooManyAttempts):
        return _("Too many attempts"), _("Wait a while, then try again.")
    if isinstance(error, ServiceUnavailable | StorageError):
        return _("This site is temporarily unavailable"), _("Wait a while, then try again.")
    return _("This address cannot be opened"), _("Open your original link again.")
