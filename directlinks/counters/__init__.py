"""Counters of downloads."""
