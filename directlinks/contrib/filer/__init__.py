"""Links for the files and images of django-filer: add this app below ``filer``."""
