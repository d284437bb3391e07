"""How a version was split; language, copies and likeness of chunks"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies the change. The new columns of chunks that are there are filled by the next start, which splits them again."""
    op.add_column("versions", sa.Column("chunking", sa.String(length=16), server_default="", nullable=False))
    op.add_column("chunks", sa.Column("language", sa.String(length=3), server_default="", nullable=False))
    op.add_column("chunks", sa.Column("copy_key", sa.String(length=32), server_default="", nullable=False))
    op.add_column("chunks", sa.Column("signature", sa.LargeBinary(), nullable=True))
    op.create_index(op.f("ix_chunks_copy_key"), "chunks", ["copy_key"], unique=False)
