"""Why one URI of a batch cannot have a link."""

from directlinks.core.error_codes import ErrorCode
from directlinks.core.errors.base import DirectLinksError
from directlinks.core.quoting import quoted


class URIError(DirectLinksError):
    """One URI of a batch cannot have a link; the others go on."""


class UnknownFileSystem(URIError):
    def __init__(self, fs: str) -> None:
        super().__init__(cause=f"unknown file system {quoted(fs)}")
        self.fs = fs
        self.args = (fs,)


class ActionNotSupported(URIError):
    code = ErrorCode.PERMISSION_DENIED
    msg = "Not supported action"
    # A backslash and a letter: how the original writes the number of the refused capability.
    cause = r"action '\a' is not supported under current fs"


class TargetError(URIError):
    """The file that a URI names could not be reached."""

    prefix = "failed to get target file: "


class ShareNotFound(TargetError):
    code = ErrorCode.NOT_FOUND
    msg = "Shared file does not exist"


class ForeignSpace(TargetError):
    code = ErrorCode.PERMISSION_DENIED
    msg = "Permission denied"


class NotOwner(URIError):
    code = ErrorCode.NOT_OWNER
    msg = "Only owner or administrator can perform this action"


class PathNotExist(TargetError):
    """``element`` is the name at which the walk along the path ended, where that is known."""

    code = ErrorCode.PATH_NOT_EXIST
    msg = "Path not exist"

    def __init__(self, *, cause: str = "ent: file not found", element: str | None = None) -> None:
        super().__init__(cause=cause)
        self.element = element
        if element is not None:
            self.prefix = f"{TargetError.prefix}failed to walk into {quoted(element)}: "


class EntityNotExist(URIError):
    code = ErrorCode.ENTITY_NOT_EXIST
    msg = "Entity not exist"


class NotAFile(EntityNotExist):
    """A folder is there instead: ``path`` in the space of the user with the key ``owner``."""

    def __init__(self, owner: object, path: str) -> None:
        super().__init__()
        self.owner = owner
        self.path = path
        self.args = (owner, path)
