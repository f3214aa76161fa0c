"""A site as in production with a strict Content-Security-Policy, a staff and examples to manage."""

from pathlib import Path

from tests.real.sites import DOCUMENTED_SETTINGS, PASSWORD, Site, new_site

STAFF = "mia"

PRODUCTION = """
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
MEDIA_ROOT = BASE_DIR / "media"
INSTALLED_APPS += ["example_project"]
MIDDLEWARE.insert(0, "mysite.strict.policy")
"""
POLICY = """
def policy(get_response):
    def answer(request):
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", "default-src 'self'")
        return response
    return answer
"""
# Its own web server would serve these.
STATIC_FILES = """
from django.contrib.staticfiles.handlers import StaticFilesHandler
application = StaticFilesHandler(application)
"""


def admin_site(folder: Path) -> Site:
    """With the links of the demo, which ``STAFF``, a superuser, manages."""
    site = new_site(folder, settings=DOCUMENTED_SETTINGS + PRODUCTION)
    (folder / "mysite" / "strict.py").write_text(POLICY)
    site.append("mysite/wsgi.py", STATIC_FILES)
    site.manage("migrate", "-v", "0")
    site.shell(
        "from django.utils import timezone",
        "from example_project.showcase import show_examples",
        f'User.objects.create_superuser("{STAFF}", "{STAFF}@example.org", "{PASSWORD}")',
        "show_examples(timezone.now())",
    )
    return site
