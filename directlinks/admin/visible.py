"""What a member of the staff sees: what the site's policy lets them manage."""

from typing import Any

from directlinks.models import DirectLink, File
from directlinks.policies import site_policy
from directlinks.querysets import DirectLinkQuerySet, FileQuerySet, is_everything


def visible_files(user: Any) -> FileQuerySet:
    return site_policy().filter(user, File.objects.all())


def visible_links(user: Any) -> DirectLinkQuerySet:
    """The links of ``visible_files``; where these are all, no condition makes the list slower."""
    files, links = visible_files(user), DirectLink.objects.all()
    return links if is_everything(files) else links.filter(file__in=files)
