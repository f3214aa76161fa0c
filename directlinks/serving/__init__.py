"""Serving links: the views below ``/f/``."""
