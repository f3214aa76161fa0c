"""The REST door: the only room that imports DRF and simplejwt."""
