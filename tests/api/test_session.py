"""Login, refresh and logout."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model, hashers
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings
from rest_framework.test import APIRequestFactory
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken
from rest_framework_simplejwt.tokens import RefreshToken
from rest_framework_simplejwt.views import TokenRefreshView

from directlinks.api.session import logged_in_user
from directlinks.datetimes import as_stored
from tests.api.clients import APIClient
from tests.factories import PASSWORD, FileFactory, UserFactory

pytestmark = pytest.mark.django_db

WITHOUT_BLACKLIST = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "rest_framework",
    "directlinks",
]


@pytest.fixture
def api() -> APIClient:
    return APIClient()


def login(api: APIClient, email: Any, password: Any = PASSWORD) -> Any:
    return api.call("POST", "session/token", {"email": email, "password": password})


def refresh(api: APIClient, token: Any) -> Any:
    return api.call("POST", "session/token/refresh", {"refresh_token": token})


def logout(api: APIClient, token: Any) -> Any:
    return api.call("DELETE", "session/token", {"refresh_token": token})


def first(api: APIClient) -> str:
    """Return the refresh token of a new login of ada."""
    return str(login(api, "ada").json()["data"]["token"]["refresh_token"])


def refreshed(api: APIClient, token: str) -> str:
    """Return the refresh token that ``token`` is exchanged for."""
    return str(refresh(api, token).json()["data"]["refresh_token"])


class TestLogin:
    @pytest.mark.parametrize("name", ["ada", "ada@example.org", "ADA@example.org"])
    def test_a_user_name_or_an_email_address_and_the_password_give_tokens_that_work(
        self, name: str, api: APIClient
    ) -> None:
        user = UserFactory(username="ada")
        FileFactory(owner=user, path="a.txt")
        answer = login(api, name)
        assert answer.status_code == 200
        token = answer.json()["data"]["token"]
        api.headers["Authorization"] = f"Bearer {token['access_token']}"
        assert api.put("cloudreve://my/a.txt").json()["code"] == 0

    def test_the_account_is_shown_as_existing_clients_read_it(self, api: APIClient) -> None:
        user = UserFactory(
            username="ada",
            first_name="Ada",
            last_name="Lovelace",
            date_joined=as_stored(datetime.fromisoformat("2026-01-02T03:04:05.6+08:00")),
        )
        assert login(api, "ada").json()["data"]["user"] == {
            "id": str(user.pk),
            "email": "ada@example.org",
            "nickname": "Ada Lovelace",
            "created_at": "2026-01-01T19:04:05.600000Z",
            "group": {
                "id": "2",
                "name": "User",
                "permission": "hAg=",
                "direct_link_batch_size": 1000,
            },
        }

    def test_an_administrator_has_the_administrators_group(self, api: APIClient) -> None:
        UserFactory(username="ada", is_staff=True)
        group = login(api, "ada").json()["data"]["user"]["group"]
        assert (group["id"], group["name"], group["permission"]) == ("1", "Admin", "/RoB")

    def test_where_links_are_switched_off_there_is_no_batch_size(
        self, api: APIClient, settings: Settings
    ) -> None:
        settings.DIRECTLINKS = {"BATCH_SIZE": 0}
        UserFactory(username="ada")
        assert "direct_link_batch_size" not in login(api, "ada").json()["data"]["user"]["group"]

    def test_a_naive_date_of_joining_is_in_the_sites_time_zone(
        self, api: APIClient, settings: Settings
    ) -> None:
        settings.USE_TZ = False
        UserFactory(username="ada", date_joined=datetime(2026, 1, 2, 8))  # noqa: DTZ001
        answer = login(api, "ada").json()["data"]
        assert answer["user"]["created_at"] == "2026-01-02T00:00:00Z"

    @pytest.mark.parametrize(
        ("first", "last", "nickname"),
        [
            ("Ada", "Lovelace", "Ada Lovelace"),
            ("", "", "ada"),
            (None, None, "ada"),
            ("Ada", None, "Ada"),
            (None, "Lovelace", "Lovelace"),
            ("None", "Such", "None Such"),
        ],
    )
    def test_a_name_that_is_missing_is_no_part_of_the_nickname(
        self, first: str | None, last: str | None, nickname: str
    ) -> None:
        user = UserFactory.build(pk=1, username="ada", first_name=first, last_name=last)
        assert logged_in_user(user)["nickname"] == nickname

    @pytest.mark.parametrize("name", [None, 7])
    def test_what_is_no_name_is_no_nickname_and_no_date_the_beginning_of_time(
        self, name: Any
    ) -> None:
        user: Any = UserFactory.build(pk=1, username="ada", date_joined=None)
        user.get_full_name = lambda: name
        account = logged_in_user(user)
        assert (account["nickname"], account["created_at"]) == ("ada", "1970-01-01T00:00:00Z")

    @time_machine.travel("2026-11-23T12:00:00Z", tick=False)
    def test_access_lasts_an_hour_and_refresh_two_weeks(self, api: APIClient) -> None:
        UserFactory(username="ada")
        token = login(api, "ada").json()["data"]["token"]
        assert token["access_expires"] == "2026-11-23T13:00:00Z"
        assert token["refresh_expires"] == "2026-12-07T12:00:00Z"

    @time_machine.travel("2026-11-23T12:00:00Z", tick=False)
    def test_the_sites_own_lifetimes_win(self, api: APIClient, settings: Settings) -> None:
        settings.SIMPLE_JWT = {"ACCESS_TOKEN_LIFETIME": timedelta(minutes=5)}
        UserFactory(username="ada")
        token = login(api, "ada").json()["data"]["token"]
        assert token["access_expires"] == "2026-11-23T12:05:00Z"
        assert token["refresh_expires"] == "2026-12-07T12:00:00Z"

    def test_a_wrong_password_and_an_unknown_user_are_indistinguishable(
        self, api: APIClient
    ) -> None:
        UserFactory(username="ada")
        api.headers["X-Request-ID"] = "21e6adf9-8c4b-4d0e-8200-7ebfb235a07f"
        wrong, unknown = login(api, "ada", "wrong"), login(api, "nobody", "wrong")
        assert wrong.status_code == 401
        assert wrong.json()["code"] == 40080
        assert wrong.json()["msg"] == "Incorrect password or email address"
        assert wrong.content == unknown.content
        assert wrong.headers == unknown.headers

    @pytest.mark.parametrize(
        ("name", "password"),
        [
            ("ada", PASSWORD),
            ("ada", "wrong"),
            ("ada@example.org", PASSWORD),
            ("ada@example.org", "wrong"),
            ("idle", PASSWORD),
            ("idle", "wrong"),
            ("nobody", "wrong"),
            ("nobody@example.org", "wrong"),
            ("twin@example.org", "wrong"),
        ],
    )
    def test_the_password_hasher_runs_once_on_every_path(
        self, name: str, password: str, api: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        UserFactory(username="ada")
        UserFactory(username="idle", is_active=False)
        UserFactory.create_batch(2, email="twin@example.org")
        runs = []
        encode = hashers.MD5PasswordHasher.encode

        def counted(hasher: Any, password: str, salt: str) -> str:
            runs.append(password)
            return encode(hasher, password, salt)

        monkeypatch.setattr(hashers.MD5PasswordHasher, "encode", counted)
        with CaptureQueriesContext(connection) as queries:
            login(api, name, password)
        assert runs == [password]
        # Nor does the number of look-ups tell who exists; a login that succeeds writes tokens.
        looked_up = [query for query in queries if query["sql"].startswith("SELECT")]
        assert len(looked_up) == 2

    def test_an_inactive_account_is_told_so_only_with_the_right_password(
        self, api: APIClient
    ) -> None:
        UserFactory(username="idle", is_active=False)
        right, wrong = login(api, "idle"), login(api, "idle", "wrong")
        assert (right.status_code, right.json()["code"]) == (403, 40018)
        assert (wrong.status_code, wrong.json()["code"]) == (401, 40080)

    def test_a_backend_that_lets_inactive_users_in_does_not_log_them_in_here(
        self, api: APIClient, settings: Settings
    ) -> None:
        settings.AUTHENTICATION_BACKENDS = ["tests.api.backends.LateDeactivation"]
        UserFactory(username="ada")
        assert login(api, "ada").json()["code"] == 40018

    def test_an_address_that_two_users_share_logs_nobody_in(self, api: APIClient) -> None:
        UserFactory.create_batch(2, email="twin@example.org")
        assert login(api, "twin@example.org").json()["code"] == 40080

    def test_a_user_name_that_is_somebody_elses_address_wins(self, api: APIClient) -> None:
        UserFactory(email="ada@example.org")
        named = UserFactory(username="ada@example.org", email="")
        assert login(api, "ada@example.org").json()["data"]["user"]["id"] == str(named.pk)

    def test_a_user_model_without_addresses_logs_in_by_name(
        self, api: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(get_user_model(), "EMAIL_FIELD", "address")
        UserFactory(username="ada")
        assert login(api, "ada").json()["data"]["user"]["email"] == ""
        assert login(api, "ada@example.org").json()["code"] == 40080

    @pytest.mark.parametrize(
        ("body", "msg"),
        [
            ({}, "Email cannot be empty"),
            ({"email": None, "password": "pass"}, "Email cannot be empty"),
            ({"email": "", "password": "pass"}, "Email cannot be empty"),
            ({"email": "ada"}, "Password cannot be empty"),
            ({"email": "ada", "password": ""}, "Password cannot be empty"),
            ({"email": "ada", "password": "abc"}, "Password too short"),
            ({"email": "ada", "password": "a" * 129}, "Password too long"),
            ({"email": 1, "password": "pass"}, "JSON marshall error"),
            ({"email": ["ada"], "password": "pass"}, "JSON marshall error"),
            ({"email": "a\0da", "password": "pass"}, "Invalid parameters."),
            ({"email": "\ud800", "password": "pass"}, "Invalid parameters."),
            ({"email": "a" * 321, "password": "pass"}, "Email too long"),
            ([], "JSON marshall error"),
        ],
    )
    def test_a_body_of_the_wrong_shape_says_what_is_wrong(
        self, body: Any, msg: str, api: APIClient
    ) -> None:
        answer = api.call("POST", "session/token", body)
        assert (answer.status_code, answer.json()["msg"]) == (400, msg)

    def test_attempts_are_throttled_by_client(self, api: APIClient) -> None:
        answers = [login(api, "nobody", "wrong") for _ in range(11)]
        assert [answer.status_code for answer in answers] == [401] * 10 + [429]
        assert answers[-1].json()["code"] == 429
        assert 0 < int(answers[-1].headers["Retry-After"]) <= 60

    @pytest.mark.parametrize(
        ("proxies", "last"),
        [
            (None, 429),  # the header is made up by whoever sends it
            (1, 401),  # the site's own proxy adds it
        ],
    )
    def test_a_forwarded_address_counts_only_behind_a_declared_proxy(
        self, proxies: int | None, last: int, api: APIClient, settings: Settings
    ) -> None:
        settings.REST_FRAMEWORK = {"NUM_PROXIES": proxies}
        for number in range(11):
            api.headers["X-Forwarded-For"] = f"192.0.2.{number}"
            answer = login(api, "nobody", "wrong")
        assert answer.status_code == last

    def test_whoever_has_a_network_has_no_more_attempts(
        self, api: APIClient, settings: Settings
    ) -> None:
        settings.REST_FRAMEWORK = {"NUM_PROXIES": 1}
        for number in range(11):
            api.headers["X-Forwarded-For"] = f"2001:db8::{number}"
            answer = login(api, "nobody", "wrong")
        assert answer.status_code == 429

    def test_the_throttle_can_be_switched_off(self, api: APIClient, settings: Settings) -> None:
        settings.DIRECTLINKS = {"LOGIN_RATE": None}
        assert {login(api, "nobody", "wrong").status_code for _ in range(12)} == {401}

    def test_a_bad_authorization_header_is_not_in_the_way(self, api: APIClient) -> None:
        UserFactory(username="ada")
        api.headers["Authorization"] = "Bearer expired"
        assert login(api, "ada").json()["code"] == 0


class TestRefresh:
    def test_it_gives_a_new_pair_and_the_old_one_stays_good(self, api: APIClient) -> None:
        UserFactory(username="ada")
        old = first(api)
        answer = refresh(api, old)
        assert answer.json()["code"] == 0
        new = answer.json()["data"]
        assert set(new) == {
            "access_token",
            "refresh_token",
            "access_expires",
            "refresh_expires",
        }
        assert refresh(api, new["refresh_token"]).json()["code"] == 0
        with time_machine.travel(timezone.now() + timedelta(days=13)):
            assert refresh(api, old).json()["code"] == 0

    @pytest.mark.parametrize(("seconds", "code"), [(0, 0), (59, 0), (61, 40020), (10**6, 40020)])
    def test_with_blacklist_after_rotation_it_stays_good_for_a_minute(
        self, seconds: int, code: int, api: APIClient, settings: Settings
    ) -> None:
        settings.SIMPLE_JWT = {"BLACKLIST_AFTER_ROTATION": True}
        UserFactory(username="ada")
        old, now = first(api), timezone.now()
        with time_machine.travel(now):
            new = refreshed(api, old)
        with time_machine.travel(now + timedelta(seconds=30)):
            refreshed(api, old)  # which gives it no further minute
        with time_machine.travel(now + timedelta(seconds=seconds)):
            assert refresh(api, old).json()["code"] == code
            assert refresh(api, new).json()["code"] == 0

    @pytest.mark.parametrize("how", ["by the site itself", "before it was known"])
    def test_a_token_that_the_site_blacklists_itself_ends_at_once(
        self, how: str, api: APIClient
    ) -> None:
        UserFactory(username="ada")
        token = first(api)
        if how == "before it was known":
            OutstandingToken.objects.all().delete()
        RefreshToken(token).blacklist()  # type: ignore[arg-type]  # as simplejwt's own views do
        assert refresh(api, token).json()["code"] == 40020

    @pytest.mark.parametrize("simple_jwt", [{}, {"BLACKLIST_AFTER_ROTATION": True}])
    def test_without_the_blacklist_app_it_still_rotates(
        self, simple_jwt: dict[str, Any], api: APIClient, settings: Settings
    ) -> None:
        settings.INSTALLED_APPS = WITHOUT_BLACKLIST
        settings.SIMPLE_JWT = simple_jwt
        UserFactory(username="ada")
        old = login(api, "ada").json()["data"]["token"]["refresh_token"]
        new = refresh(api, old).json()["data"]["refresh_token"]
        assert new != old

    def test_a_plain_simplejwt_token_is_taken(self, api: APIClient) -> None:
        assert refresh(api, str(RefreshToken.for_user(UserFactory()))).json()["code"] == 0

    @pytest.mark.parametrize(
        "why", ["garbage", "access", "inactive", "gone", "password", "late", "other kind of key"]
    )
    def test_every_other_token_gets_the_one_answer(self, why: str, api: APIClient) -> None:
        user = UserFactory(username="ada")
        token = login(api, "ada").json()["data"]["token"]
        odd = RefreshToken.for_user(user)
        odd["user_id"] = "6a3ab5f0-9c1f-4d55-a2f5-6d4c1c0e8a55"
        presented = {
            "garbage": "x.y.z",
            "access": token["access_token"],
            "other kind of key": str(odd),
        }.get(why, token["refresh_token"])
        moment = timezone.now()
        match why:
            case "inactive":
                user.is_active = False
                user.save()
            case "gone":
                user.delete()
            case "password":
                user.set_password("another")
                user.save()
            case "late":
                moment += timedelta(days=15)
        with time_machine.travel(moment):
            answer = refresh(api, presented)
        assert (answer.status_code, answer.json()["code"]) == (401, 40020)
        assert answer.json()["msg"] == "Failed to issue token pair"

    def test_the_field_is_required(self, api: APIClient) -> None:
        answer = api.call("POST", "session/token/refresh", {})
        assert answer.json()["msg"] == "RefreshToken cannot be empty"


class TestLogout:
    @pytest.mark.parametrize("simple_jwt", [{}, {"BLACKLIST_AFTER_ROTATION": True}])
    @pytest.mark.parametrize("presented", ["root", "child", "sibling", "grandchild"])
    def test_it_ends_every_refresh_token_of_its_login(
        self, presented: str, simple_jwt: dict[str, Any], api: APIClient, settings: Settings
    ) -> None:
        settings.SIMPLE_JWT = simple_jwt
        UserFactory(username="ada")
        root, other = first(api), first(api)
        child, sibling = refreshed(api, root), refreshed(api, root)
        family = {"root": root, "child": child, "sibling": sibling}
        family["grandchild"] = refreshed(api, child)
        for _ in range(2):  # a second time it is as good
            answer = logout(api, family[presented])
            assert (answer.status_code, answer.content) == (200, b'{"code":0,"data":"","msg":""}')
        assert {refresh(api, token).json()["code"] for token in family.values()} == {40020}
        assert refresh(api, other).json()["code"] == 0

    def test_simplejwts_own_view_takes_the_token_no_more(self, api: APIClient) -> None:
        UserFactory(username="ada")
        token = first(api)
        own_view = TokenRefreshView.as_view()
        request = APIRequestFactory().post("/", {"refresh": token})
        assert own_view(request).status_code == 200
        assert logout(api, token).json()["code"] == 0
        request = APIRequestFactory().post("/", {"refresh": token})
        assert own_view(request).status_code == 401

    def test_it_lasts_as_long_as_any_token_of_the_login(self, api: APIClient) -> None:
        UserFactory(username="ada")
        root, now = first(api), timezone.now()
        with time_machine.travel(now + timedelta(days=13)):
            child = refreshed(api, root)
            assert logout(api, root).json()["code"] == 0
        with time_machine.travel(now + timedelta(days=26)):
            call_command("flushexpiredtokens")
            assert refresh(api, child).json()["code"] == 40020

    def test_an_access_token_ends_the_refresh_tokens_that_it_came_with(
        self, api: APIClient
    ) -> None:
        UserFactory(username="ada")
        token = login(api, "ada").json()["data"]["token"]
        assert logout(api, token["access_token"]).json()["code"] == 0
        assert refresh(api, token["refresh_token"]).json()["code"] == 40020

    @pytest.mark.parametrize("root", [None, "", "\ud800", 7, ["x"], "x" * 1000])
    def test_tokens_that_others_issued_have_families_too(self, root: Any, api: APIClient) -> None:
        plain = RefreshToken.for_user(UserFactory())
        if root is not None:
            plain["root_token_id"] = root
        child = refreshed(api, str(plain))
        assert logout(api, child).json()["code"] == 0
        assert refresh(api, str(plain)).json()["code"] == 40020

    def test_without_the_blacklist_app_it_answers_all_the_same(
        self, api: APIClient, settings: Settings
    ) -> None:
        settings.INSTALLED_APPS = WITHOUT_BLACKLIST
        token = RefreshToken.for_user(UserFactory())
        assert logout(api, str(token)).json()["code"] == 0
        assert refresh(api, str(token)).json()["code"] == 0

    def test_a_bad_token_is_refused(self, api: APIClient) -> None:
        answer = logout(api, "x.y.z")
        assert (answer.status_code, answer.json()["code"]) == (401, 40020)
        assert answer.json()["msg"] == "Failed to parse token"

    def test_it_is_not_throttled_as_a_login_is(self, api: APIClient) -> None:
        assert {logout(api, "x").status_code for _ in range(12)} == {401}
