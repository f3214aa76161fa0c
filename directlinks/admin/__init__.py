"""Files and links in the Django admin, for staff with the models' permissions.

What they see is what the site's policy lets them see.
"""

from directlinks.admin.files import FileAdmin
from directlinks.admin.links import DirectLinkAdmin
from directlinks.admin.mixins import DirectLinksAdminMixin

__all__ = ["DirectLinkAdmin", "DirectLinksAdminMixin", "FileAdmin"]
