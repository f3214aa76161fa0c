"""The REST API: the only package that imports DRF and simplejwt."""
