"""Encrypted files: a copy that needs no password, made in the worker process with the password that opens the file.

Readers never see a password: they read the copy. It is nobody's original: it is kept beside that and never handed out.
"""

from __future__ import annotations

from pathlib import Path

import pymupdf

from ingest.errors import BrokenFile, PasswordNeeded
from ingest.readers.detect import FileType, detect


def unlock(path: Path, target: Path, *, password: str) -> bool:
    """Whether the file is encrypted; if so, `target` is its copy that opens without a password.

    Raises:
        PasswordNeeded: the password does not open it. BrokenFile: it is damaged. UnknownType: it is of a type that is not read.
    """
    if detect(path, "") is not FileType.PDF:
        return False
    try:
        document = pymupdf.open(path, filetype="pdf")
    except pymupdf.FileDataError as error:
        raise BrokenFile("the PDF is broken: its structure cannot be read. Export or print it again") from error
    with document:
        if not document.needs_pass:
            return False
        if not document.authenticate(password):
            raise PasswordNeeded("the PDF is encrypted, and the password that was given does not open it: give the right one")
        document.save(target, encryption=pymupdf.PDF_ENCRYPT_NONE)
        return True
