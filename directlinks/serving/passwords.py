"""The password of a link: in a header from programs, by a form from people, never in the address.

A visitor who gives the right one by the form keeps a cookie that proves it, for both addresses of
the link. It is bound to the link, to its code and to the password's hash, so it ends if the code or
the password changes.
"""

from datetime import datetime

from django.contrib.auth.hashers import check_password
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.http.response import HttpResponseBase

from directlinks import addresses
from directlinks.conf import conf
from directlinks.core import signing
from directlinks.core.errors import InvalidParameters, PasswordRequired, WrongPassword
from directlinks.datetimes import seconds_of
from directlinks.delivery.responses import PlainResponse
from directlinks.serving.error_responses import NEVER_STORED
from directlinks.serving.throttling import accept_guess, count_guess
from directlinks.sql.links import LinkRow

# One for each of the paths of a link.
COOKIES = ("directlinks_unlocked", "directlinks_unlocked_d")
PASSWORD_COOKIE_SECONDS = 12 * 3600


def check_link_password(request: HttpRequest, row: LinkRow, now: datetime) -> None:
    """Raise PasswordRequired, WrongPassword or TooManyAttempts if ``row`` stays closed."""
    if _has_proof(request, row, now):
        return
    given = request.META.get("HTTP_X_LINK_PASSWORD")
    if given is None:
        raise PasswordRequired
    _compare(request, row, _as_typed(given))


def check_password_by_form(request: HttpRequest, row: LinkRow, now: datetime) -> bool:
    """Raise what ``check_link_password`` raises; return True if the password came by a form.

    Raise InvalidParameters if the body is no form.
    """
    if "HTTP_X_LINK_PASSWORD" in request.META or _has_proof(request, row, now):
        check_link_password(request, row, now)
        return False
    password = _password_in_form(request)
    if not password:
        raise PasswordRequired
    _compare(request, row, password)
    return True


def submit_password(request: HttpRequest, row: LinkRow, now: datetime) -> HttpResponse:
    """Return the answer to the form: back to the link, with a cookie that opens it.

    Raise WrongPassword, TooManyAttempts, or InvalidParameters if the body is no form.
    """
    _compare(request, row, _password_in_form(request))
    headers = {"Location": request.get_full_path(), "Content-Length": "0", **NEVER_STORED}
    response = PlainResponse(303, headers).response()
    set_password_cookies(request, response, row, now)
    return response


def set_password_cookies(
    request: HttpRequest, response: HttpResponseBase, row: LinkRow, now: datetime
) -> None:
    """Add the cookies to ``response`` that open the link of ``row`` from ``now`` on."""
    expires = int(seconds_of(now)) + PASSWORD_COOKIE_SECONDS
    proof = signing.password_proof(
        row.link_id, expires, conf.signing_keys[0], code=row.current_code, password=row.password
    )
    # Sent with this link alone, so each link has its own.
    for name, folder in zip(COOKIES, addresses.link_folders(row.code), strict=True):
        response.set_cookie(
            name, proof, path=folder, secure=request.is_secure(), httponly=True, samesite="Lax"
        )


def _has_proof(request: HttpRequest, row: LinkRow, now: datetime) -> bool:
    return any(
        signing.is_password_proof(
            request.COOKIES.get(name, ""),
            row.link_id,
            conf.signing_keys,
            code=row.current_code,
            password=row.password,
            now=seconds_of(now),
        )
        for name in COOKIES
    )


def _compare(request: HttpRequest, row: LinkRow, password: str) -> None:
    # Another tenant may have a link of the same number.
    scope = f"password of {row.link_id} {row.current_code}"
    # Before the slow comparison, or those who guess in parallel would all be let through.
    attempts = count_guess(conf.LOGIN_RATE, request, scope=scope)
    if not check_password(password, row.password):
        raise WrongPassword
    accept_guess(attempts, request, scope=scope)


def _password_in_form(request: HttpRequest) -> str:
    try:
        password: str = request.POST.get("password", "")
        password.encode()  # some charsets give half of a character, which no hasher takes
    except (
        BadRequest,
        MultiPartParserError,
        UnreadablePostError,
        # of charsets that are none of text, or that cannot read it
        LookupError,
        ValueError,
    ) as error:
        raise InvalidParameters(cause=str(error)) from error
    return password


def _as_typed(header: str) -> str:
    """Return the text of a header, which arrives as if it were Latin-1."""
    try:
        return header.encode("latin-1").decode()
    except (UnicodeEncodeError, UnicodeDecodeError):
        return header
