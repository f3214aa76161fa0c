"""The two tables: files, and the links that lead to them."""

from directlinks.models.files import OWN_FOLDER, File, validate_path
from directlinks.models.links import DirectLink

__all__ = ["OWN_FOLDER", "DirectLink", "File", "validate_path"]
