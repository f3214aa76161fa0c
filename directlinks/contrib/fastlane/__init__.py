"""Serving of links in front of Django; optional."""
