"""Counters that count outside the database first."""
