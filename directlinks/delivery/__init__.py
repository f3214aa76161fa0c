"""Delivery of contents to visitors."""
