"""Every error that Graft raises on purpose.

    GraftError                 1  something failed
    ├── UsageError             2  the request itself is wrong
    ├── InputRefused           3  a file or value cannot be taken
    │   ├── NotFound           3  no such document, job, group … or none that the caller may see
    │   ├── Conflict           3  it is there already, or in a state that forbids this
    │   ├── UnknownType        3  the file is of a type that is not read
    │   ├── BrokenFile         3  the file is damaged, or holds nothing
    │   ├── PasswordNeeded     3  the file is encrypted, and no password opens it or a wrong one was given
    │   ├── LimitPassed        3  the file costs more than a limit of reading allows
    │   └── Quarantined        3  the file kills or hangs what reads it: it is kept away from the reader until asked for
    ├── Unavailable            4  a needed service is not there
    └── NotPermitted           5  the caller's rights do not reach

The number is the command line's exit code. A message says what was seen, what is allowed and what to do.
"""

from __future__ import annotations


class GraftError(Exception):
    """Base of all errors raised on purpose; its message is written for the person who reads it."""

    exit_code = 1
    http_status = 500
    code = "failed"


class UsageError(GraftError):
    """The request itself is wrong."""

    exit_code = 2
    http_status = 400
    code = "bad_request"


class InputRefused(GraftError):
    """A file or a value cannot be taken."""

    exit_code = 3
    http_status = 422
    code = "input_refused"


class NotFound(InputRefused):
    """There is no such thing, or none that the caller may see: the two look the same."""

    http_status = 404
    code = "not_found"


class Conflict(InputRefused):
    """The thing is there already, or in a state that forbids this."""

    http_status = 409
    code = "conflict"


class UnknownType(InputRefused):
    """The file is of a type that is not read."""

    code = "unknown_type"


class BrokenFile(InputRefused):
    """The file is damaged, or there is nothing in it."""

    code = "broken_file"


class PasswordNeeded(InputRefused):
    """The file is encrypted: it needs a password, or another one than was given."""

    code = "password_needed"


class LimitPassed(InputRefused):
    """Reading the file costs more than a limit allows; the message names the limit and its setting."""

    code = "limit_passed"


class Quarantined(InputRefused):
    """The file kills or hangs whatever reads it. It is not read again unless somebody asks for that."""

    code = "quarantined"


class Unavailable(GraftError):
    """A needed service (engine, server, registry, disk) is not there."""

    exit_code = 4
    http_status = 503
    code = "unavailable"


class StorageFull(Unavailable):
    """The disk that holds the state has no room left."""

    http_status = 507
    code = "storage_full"


class NotPermitted(GraftError):
    """The caller is not known, or its rights do not reach."""

    exit_code = 5
    http_status = 403
    code = "not_permitted"
