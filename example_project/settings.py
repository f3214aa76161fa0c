"""A small site with every setting of directlinks written out, each at its default.

From the environment: DATABASE_URL (else SQLite) and MEDIA_ROOT (else ``var/media``). It runs with
DEBUG and a secret that anyone can read: it is an example, not a site to put on the network.
"""

import os
from pathlib import Path

import dj_database_url

import directlinks
from directlinks.core.visits import PREVIEW_AGENTS

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(os.environ.get("DIRECTLINKS_VAR", BASE_DIR / "var"))
VAR_DIR.mkdir(parents=True, exist_ok=True)  # SQLite makes its file, but not the folder

SECRET_KEY = "an-example-is-no-secret-so-do-not-copy-this-key"
DEBUG = True
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    # Optional: with it, a refresh token ends at logout and when it is exchanged.
    "rest_framework_simplejwt.token_blacklist",
    # Optional: with them, the site describes its API, and Swagger UI shows it at api/docs/.
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "directlinks",
    # Only for `manage.py demo`.
    "example_project",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "example_project.urls"
WSGI_APPLICATION = "example_project.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {"default": dj_database_url.config(default=f"sqlite:///{VAR_DIR / 'db.sqlite3'}")}

USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "static/"
# Nothing publishes this folder: its files leave through links alone.
MEDIA_ROOT = os.environ.get("MEDIA_ROOT", VAR_DIR / "media")

REST_FRAMEWORK = {"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"}
SPECTACULAR_SETTINGS = {
    "TITLE": "Direct links",
    "VERSION": directlinks.__version__,
    "SERVE_INCLUDE_SCHEMA": False,
    # From the site itself, and not from a network of others.
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

DIRECTLINKS = {
    # URIs that a user may send in one request; 0 switches creating links off.
    "BATCH_SIZE": 1000,
    # URIs that the site accepts in one request from any user.
    "MAX_BATCH_SIZE": 3000,
    # True answers every API request with HTTP status 200, which most clients of Cloudreve need.
    "ALWAYS_200": False,
    # Who may create, list and revoke the links of a file.
    "POLICY": "directlinks.policies.OwnerOrAdmin",
    # How many characters a new link's code has, and which: here 128 random bits.
    "CODE_LENGTH": 22,
    "CODE_ALPHABET": "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz",
    # What links begin with: "https://files.example.org", several in a list, or the dotted path of
    # a callable that takes the request; None: the request's own host.
    "BASE_URL": None,
    # Seconds for which a temporary content URL is good.
    "TARGET_SECONDS": 600,
    # Hosts that a storage's own URLs may lead to; None: any.
    "REDIRECT_HOSTS": None,
    # Seconds for which browsers and caches may keep a redirect; visits from there are not counted.
    "REDIRECT_MAX_AGE": 0,
    # How bytes reach a visitor; None: as the storage can. Else {"BACKEND": …, "OPTIONS": {…}}.
    "DELIVERY": None,
    # Content types that a browser may show; all others are downloads.
    "INLINE_TYPES": [
        "image/png",
        "image/jpeg",
        "image/gif",
        "image/webp",
        "image/avif",
        "audio/*",
        "video/*",
        "text/plain",
        "application/pdf",
    ],
    # Content types by extension, before those of the built-in table: {".step": "model/step"}.
    "CONTENT_TYPES": {},
    # Pages that may read links from their own origin: "off", "*" or a list of origins.
    "CORS": "off",
    # How downloads are counted: "database", or {"BACKEND": …, "OPTIONS": {…}} with "journal",
    # "redis" or the dotted path of a class.
    "COUNTER": "database",
    # Seconds for which a process may remember a link without limits, and so the longest that
    # revoking one takes; 0: at once.
    "CACHE_SECONDS": 0,
    # How long a new link lives, and how long it may live at most: seconds or a timedelta; None: for
    # ever.
    "DEFAULT_LIFE": None,
    "MAX_LIFE": None,
    # What the links of a group's members may not exceed, by the group's name:
    # {"guests": {"MAX_LIFE": 86400, "MAX_DOWNLOADS": 100}}.
    "GROUP_LIMITS": {},
    # Whether a second request for the same file gets the link that the first one made.
    "REUSE": True,
    # The function that tells downloads from previews and continuations.
    "VISIT_RULE": "directlinks.core.visits.classify",
    # Parts of the names of programs that fetch a link to preview it; add yours to the list.
    "PREVIEW_AGENTS": list(PREVIEW_AGENTS),
    # Requests for links that never were, from one address; None: any number.
    "UNKNOWN_RATE": "30/min",
    # Attempts to log in from one address; None: any number.
    "LOGIN_RATE": "10/min",
}
