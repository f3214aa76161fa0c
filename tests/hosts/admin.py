"""The admin of a site's own model."""

from django.contrib import admin

from directlinks.admin import DirectLinksAdminMixin
from tests.hosts.models import Invoice


@admin.register(Invoice)
class InvoiceAdmin(DirectLinksAdminMixin):
    """Invoices with their links."""

    list_display = ("number",)
    fieldsets = ((None, {"fields": ("number", "pdf")}),)
