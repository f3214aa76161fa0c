"""The site's policy as a DRF permission, for our views and for a site's own."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from directlinks.models import DirectLink, File
from directlinks.policies import site_policy
from directlinks.users import is_active


class IsOwnerOrAdmin(BasePermission):
    """Allow users who may manage the links of a file: by default its owner and staff.

    The object is a File or a DirectLink.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        user = request.user
        return bool(user and user.is_authenticated is True and is_active(user))

    def has_object_permission(self, request: Request, view: APIView, obj: Any) -> bool:
        file: File = obj.file if isinstance(obj, DirectLink) else obj
        return site_policy().allows(request.user, file)
