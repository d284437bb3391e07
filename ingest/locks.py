"""Encrypted files: a copy that needs no password, made in the worker process with the password that opens the file.

Readers never see a password: they read the copy. It is nobody's original: it is kept beside that and never handed out.
"""

from __future__ import annotations

from pathlib import Path

from ingest.errors import BrokenFile, PasswordNeeded
from ingest.readers.detect import FileType, detect
from ingest.readers.registry import refusing
from ingest.settings import ReadLimits

_WRONG = "the file is encrypted, and the password that was given does not open it: give the right one"


def unlock(path: Path, target: Path, *, password: str, limits: ReadLimits) -> bool:
    """Whether the file is encrypted; if so, `target` is its copy that opens without a password.

    Raises:
        PasswordNeeded: the password does not open it. BrokenFile: it is damaged. UnknownType: it is of a type that is not read.
    """
    try:
        kind = detect(path, "")
    except PasswordNeeded:
        with refusing("Office file", limits):
            return _unlock_office(path, target, password)
    if kind is FileType.PDF:
        with refusing(kind, limits):
            return _unlock_pdf(path, target, password)
    return False


def _unlock_pdf(path: Path, target: Path, password: str) -> bool:
    import pymupdf

    with pymupdf.open(path, filetype="pdf") as document:
        if not document.needs_pass:
            return False
        if not document.authenticate(password):
            raise PasswordNeeded(_WRONG)
        document.save(target, encryption=pymupdf.PDF_ENCRYPT_NONE)
        return True


def _unlock_office(path: Path, target: Path, password: str) -> bool:
    from msoffcrypto import OfficeFile
    from msoffcrypto.exceptions import DecryptionError, InvalidKeyError

    with path.open("rb") as locked, target.open("wb") as copy:
        file = OfficeFile(locked)
        try:
            file.load_key(password=password, verify_password=True)
            file.decrypt(copy)
        except InvalidKeyError as error:
            raise PasswordNeeded(_WRONG) from error
        except DecryptionError as error:
            raise BrokenFile(
                f"the Office file is encrypted in a way that is not read ({error}): save it without a password"
            ) from error
    return True
