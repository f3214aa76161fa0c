"""What a member of the staff sees: what the site's policy lets them manage."""

from typing import Any

from directlinks.conf import conf
from directlinks.models import DirectLink, File
from directlinks.policies import site_policy
from directlinks.querysets import DirectLinkQuerySet, FileQuerySet, is_everything


def visible_files(user: Any) -> FileQuerySet:
    """Return each file once, even if the policy's query joins other tables."""
    files = site_policy().filter(user, File.objects.all())
    return files if is_everything(files) else File.objects.filter(pk__in=files.values("pk"))


def visible_links(user: Any) -> DirectLinkQuerySet:
    """The links of ``visible_files``; where these are all, no condition makes the list slower."""
    files, links = visible_files(user), DirectLink.objects.all()
    return links if is_everything(files) else links.filter(file__in=files)


def may_create_links(user: Any) -> bool:
    """BATCH_SIZE = 0 switches creating links off, in the admin as well."""
    return bool(conf.BATCH_SIZE) and user.has_perm("directlinks.add_directlink")
