"""Forms of the pages of a file and of a link."""

from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.exceptions import ValidationError
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from directlinks.datetimes import as_clock, from_clock, is_skipped
from directlinks.models import DirectLink, File
from directlinks.policies import site_policy
from directlinks.services.limits import EDITABLE_FIELDS, apply_limits


class ExactDateTimeFormField(forms.SplitDateTimeField):
    """A date and a time by the clocks of the page.

    Left as it was shown, it gives back the moment ``kept``, to its microsecond and also in an hour
    that the clocks show twice. A new time in such an hour is the first of the two.
    """

    kept: datetime | None = None

    def compress(self, data_list: Any) -> datetime | None:
        if not data_list or None in data_list:
            return super().compress(data_list)  # empty, or incomplete
        clock = datetime.combine(*data_list)
        if self.kept is not None and clock == as_clock(self.kept).replace(microsecond=0):
            return self.kept
        if is_skipped(clock):
            raise ValidationError(
                _("Clocks are put forward over this time. Enter an earlier or a later one."),
                code="skipped",
            )
        return from_clock(clock)


class FileForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """``requested_by``, the user, may put a file only where the policy lets them manage it.

    A class of its own is made for each request, so the user is an attribute of the class.
    """

    requested_by: ClassVar[Any] = None

    class Meta:
        model = File
        fields = ("owner", "path", "content", "content_type")
        # The usual widget links to the storage's own URL, which is not what visitors are given.
        widgets = {"content": forms.FileInput}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None and "content" in self.fields:
            size = filesizeformat(self.instance.size)
            kept = _("Leave empty to keep the current content (%(size)s).") % {"size": size}
            self.fields["content"].help_text = kept

    def _get_validation_exclusions(self) -> set[str]:
        """Leave the owner to the field, which asks where users are written: a replica may lag."""
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return excluded | {"owner"}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        owner, path = cleaned.get("owner"), cleaned.get("path")
        # Without a path, nothing is said of what an owner has.
        if "owner" in cleaned and path is not None:
            target = File(pk=self.instance.pk, owner=owner, path=path)
            if not site_policy().allows(self.requested_by, target):
                fault = (
                    _("You do not have permission to manage files of the site.")
                    if owner is None
                    else _("You do not have permission to manage files of this user.")
                )
                self.add_error("owner", fault)
        return cleaned


class LinkForm(forms.ModelForm):  # type: ignore[type-arg]  # as above
    """The limits of a link, within what ``requested_by`` may set; see ``FileForm``.

    A password goes in and never comes out.
    """

    requested_by: ClassVar[Any] = None

    new_password = forms.CharField(
        label=_("New password"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Leave empty to keep the current password."),
    )
    remove_password = forms.BooleanField(
        label=_("Remove the password"),
        required=False,
        help_text=_("Anyone who has the address can open it."),
    )

    class Meta:
        model = DirectLink
        fields = tuple(name for name in EDITABLE_FIELDS if name != "password")
        widgets = {
            "referers": AdminTextareaWidget(attrs={"rows": 3}),
            "note": AdminTextareaWidget(attrs={"rows": 4}),
        }
        field_classes = {"not_before": ExactDateTimeFormField, "expires_at": ExactDateTimeFormField}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in {"not_before", "expires_at"} & self.fields.keys():
            field: Any = self.fields[name]
            field.kept = getattr(self.instance, name)
            # Django shows "Date" and "Time" beside them, and ties the words to nothing.
            for part, words in zip(field.widget.widgets, (_("date"), _("time")), strict=True):
                part.attrs["aria-label"] = f"{field.label}, {words}"
        if self.instance.revoked_at is not None:
            # Not only out of sight: what is revoked asks for no password any more.
            del self.fields["new_password"], self.fields["remove_password"]

    def limits(self) -> dict[str, Any]:
        """Return the changed limits as ``change_direct_link`` takes them."""
        changed = {
            name: self.cleaned_data[name] for name in self.changed_data if name in EDITABLE_FIELDS
        }
        if self.cleaned_data.get("new_password"):
            changed["password"] = self.cleaned_data["new_password"]
        elif self.cleaned_data.get("remove_password"):
            changed["password"] = ""
        return changed

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("new_password") and cleaned.get("remove_password"):
            self.add_error("remove_password", _("Enter a new password or remove it, not both."))
        return cleaned

    def _post_clean(self) -> None:
        """Check that the site allows the limits, once the link itself is valid."""
        super()._post_clean()  # type: ignore[misc]  # Django's own forms do the same
        if not self.errors:
            limits = {name: value for name, value in self.limits().items() if name != "password"}
            try:
                apply_limits(self.instance, limits, user=self.requested_by, now=timezone.now())
            except ValidationError as error:
                self.add_error(None, error)
