"""Links for the documents and images of Wagtail: add this app below Wagtail's own."""
