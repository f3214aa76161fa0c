"""Permanent direct links for the files of any Django site."""

__version__ = "0.1.0"
