"""Office files are zip archives: how much one would unpack to is asked before anything is unpacked."""

from __future__ import annotations

import zipfile
from pathlib import Path

from ingest.errors import BrokenFile, LimitPassed, UnknownType
from ingest.settings import ReadLimits

BROKEN_ARCHIVE = "the file is broken: it is a zip archive that cannot be opened. Save or download it again"


def require_unpackable(path: Path, *, limits: ReadLimits) -> None:
    """Lets an archive pass that stays within the limits; `zipfile` reads no more of a member than its entry says.

    Raises:
        InputRefused: it is broken, encrypted, or would unpack to more than is allowed.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except zipfile.BadZipFile as error:
        raise BrokenFile(BROKEN_ARCHIVE) from error
    unpacked = sum(member.file_size for member in members)
    if unpacked > limits.unpacked_mib << 20:
        raise LimitPassed(
            f"the file would unpack to {unpacked >> 20} MiB; at most {limits.unpacked_mib} MiB are read "
            "(setting read.unpacked_mib)"
        )
    if any(member.flag_bits & 1 for member in members):
        raise UnknownType("the file is an Office file in an encrypted zip archive: save it without a password and add it again")
