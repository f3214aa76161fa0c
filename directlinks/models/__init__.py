"""The two tables: files, and the links that lead to them."""

from directlinks.models.files import File, validate_path
from directlinks.models.links import DirectLink

__all__ = ["DirectLink", "File", "validate_path"]
