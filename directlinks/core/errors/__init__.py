"""Every error that directlinks raises on purpose, each with its number beside it.

::

    DirectLinksError                  -1     anything that has no number of its own
    ├── ServiceUnavailable           503     the database is away; carries when to try again
    ├── StorageError                         the storage of a file does not give it
    │   ├── StorageRefused           502     it refuses, or is set up so that it cannot be asked
    │   ├── StorageUnavailable       503     it cannot be reached, fails, or is too busy
    │   └── StorageTimeout           504     it does not answer in time
    ├── InvalidParameters          40001     the request has the wrong shape
    │   └── UnknownURI             40001     a text that is no file URI
    ├── LoginRequired                401
    ├── InvalidToken               40020
    ├── IncorrectCredentials       40080
    ├── AccountNotActivated        40018
    ├── LinksSwitchedOff           40007     the site has switched creating links off
    ├── TooManyURIs                40014     more URIs than a user may send at once
    ├── BatchAboveCeiling          40074     more URIs than the site accepts at all
    ├── KeyReused                    409     an Idempotency-Key that came with another request
    ├── URIError                             one URI that cannot have a link
    │   ├── UnknownFileSystem         -1
    │   ├── ActionNotSupported       403
    │   ├── NotOwner               40082
    │   ├── EntityNotExist         40077
    │   │   └── NotAFile           40077     a folder is there instead
    │   └── TargetError                      the file that it names was not reached
    │       ├── ShareNotFound        404
    │       ├── ForeignSpace         403
    │       └── PathNotExist       40016
    ├── LinkNotFound                 404     to a visitor
    │   ├── LinkUnknown              404     no link ever had this code, as far as we know
    │   ├── NotYourLink              404     to a user who asks to manage the link
    │   └── ContentNotFound          404     its file is not in the storage
    ├── LinkGone                     410
    │   ├── LinkExpired              410
    │   └── LinkUsedUp               410
    ├── PasswordRequired             401     no password came with the visit
    │   └── WrongPassword            401
    ├── ConfirmationRequired         428     only a POST gets the file
    ├── RefererRefused               403     another site sent the visitor
    ├── TooManyAttempts              429     carries after how many seconds to try again
    ├── MethodNotAllowed             405     a link is only read
    ├── NotForPreviews               503     no bytes for a look that is not counted
    └── TicketError                          a temporary content URL that is not honoured
        ├── TicketInvalid          40071
        └── TicketExpired          40005

Raise them anywhere; the API and the visitor's views translate them once, into an envelope.
"""

from directlinks.core.errors.base import (
    DirectLinksError,
    ServiceUnavailable,
)
from directlinks.core.errors.requests import (
    AccountNotActivated,
    BatchAboveCeiling,
    IncorrectCredentials,
    InvalidParameters,
    InvalidToken,
    KeyReused,
    LinksSwitchedOff,
    LoginRequired,
    TooManyURIs,
    UnknownURI,
)
from directlinks.core.errors.storages import (
    ContentNotFound,
    StorageError,
    StorageRefused,
    StorageTimeout,
    StorageUnavailable,
)
from directlinks.core.errors.uris import (
    ActionNotSupported,
    EntityNotExist,
    ForeignSpace,
    NotAFile,
    NotOwner,
    PathNotExist,
    ShareNotFound,
    TargetError,
    UnknownFileSystem,
    URIError,
)
from directlinks.core.errors.visits import (
    ConfirmationRequired,
    LinkExpired,
    LinkGone,
    LinkNotFound,
    LinkUnknown,
    LinkUsedUp,
    MethodNotAllowed,
    NotForPreviews,
    NotYourLink,
    PasswordRequired,
    RefererRefused,
    TicketError,
    TicketExpired,
    TicketInvalid,
    TooManyAttempts,
    WrongPassword,
)

__all__ = [
    "AccountNotActivated",
    "ActionNotSupported",
    "BatchAboveCeiling",
    "ConfirmationRequired",
    "ContentNotFound",
    "DirectLinksError",
    "EntityNotExist",
    "ForeignSpace",
    "IncorrectCredentials",
    "InvalidParameters",
    "InvalidToken",
    "KeyReused",
    "LinkExpired",
    "LinkGone",
    "LinkNotFound",
    "LinkUnknown",
    "LinkUsedUp",
    "LinksSwitchedOff",
    "LoginRequired",
    "MethodNotAllowed",
    "NotAFile",
    "NotForPreviews",
    "NotOwner",
    "NotYourLink",
    "PasswordRequired",
    "PathNotExist",
    "RefererRefused",
    "ServiceUnavailable",
    "ShareNotFound",
    "StorageError",
    "StorageRefused",
    "StorageTimeout",
    "StorageUnavailable",
    "TargetError",
    "TicketError",
    "TicketExpired",
    "TicketInvalid",
    "TooManyAttempts",
    "TooManyURIs",
    "URIError",
    "UnknownFileSystem",
    "UnknownURI",
    "WrongPassword",
]
