"""The two tables: files, and the links that lead to them."""

from directlinks.models.contents import OWN_FOLDER, validate_path
from directlinks.models.files import File
from directlinks.models.links import DirectLink

__all__ = ["OWN_FOLDER", "DirectLink", "File", "validate_path"]
