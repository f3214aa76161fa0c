"""The site that the tests run in: the usual middleware, a time zone that is not UTC.

DATABASE_URL chooses the database; without it, SQLite in a file, because threads share it.
"""

import os
import tempfile

import dj_database_url

SECRET_KEY = "only-for-tests-and-long-enough-for-hs256"
DEBUG = False
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
    "directlinks",
    "example_project",
    "tests.hosts",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "tests.urls"

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

# One scratch folder for all workers of a run; the first names it, the others are told.
SCRATCH = os.environ.setdefault("DIRECTLINKS_SCRATCH", tempfile.mkdtemp(prefix="directlinks-"))
DATABASES = {"default": dj_database_url.config(default=f"sqlite:///{SCRATCH}/db.sqlite3")}
IN_A_FILE = "sqlite" in DATABASES["default"]["ENGINE"]
DATABASES["default"]["TEST"] = {
    "NAME": f"{SCRATCH}/test.sqlite3" if IN_A_FILE else "test_directlinks"
}

USE_TZ = True
TIME_ZONE = "Asia/Shanghai"
STATIC_URL = "static/"
MEDIA_ROOT = f"{SCRATCH}/media"  # each test has its own: see conftest.py
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
