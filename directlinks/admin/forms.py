"""The form of a file's page."""

from typing import Any, ClassVar

from django import forms
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext_lazy as _

from directlinks.models import File
from directlinks.policies import site_policy


class FileForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """Whoever fills it in, ``asked_by``, may put a file only where the policy lets them manage it.

    A class of its own is made for each request, so the user is an attribute of the class.
    """

    asked_by: ClassVar[Any] = None

    class Meta:
        model = File
        fields = ("owner", "path", "content", "content_type")
        # The usual widget links to the storage's own URL, which is not what visitors are given.
        widgets = {"content": forms.FileInput}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None and "content" in self.fields:
            size = filesizeformat(self.instance.size)
            kept = _("Leave empty to keep the present content, %(size)s.") % {"size": size}
            self.fields["content"].help_text = kept

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        owner, path = cleaned.get("owner"), cleaned.get("path")
        if owner is not None and path is not None:
            target = File(pk=self.instance.pk, owner=owner, path=path)
            if not site_policy().allows(self.asked_by, target):
                # Without an owner, nothing is said of what that owner has.
                self.add_error("owner", _("You may not manage files of this user."))
        return cleaned
