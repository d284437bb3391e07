"""Why a job ended badly, stopping and reading again; copies of encrypted files; where a version came from"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies the change. Of the jobs that are there, those that have not ended are still somebody's concern."""
    op.add_column("contents", sa.Column("reading", sa.Integer(), server_default="1", nullable=False))
    op.add_column("contents", sa.Column("unlocked", sa.String(length=64), nullable=True))
    op.add_column("versions", sa.Column("source", sa.Text(), server_default="", nullable=False))
    op.add_column("jobs", sa.Column("kind", sa.String(length=10), server_default="add", nullable=False))
    op.add_column("jobs", sa.Column("code", sa.String(length=30), nullable=True))
    op.add_column("jobs", sa.Column("source", sa.Text(), server_default="", nullable=False))
    op.add_column("jobs", sa.Column("attempts", sa.Integer(), server_default="0", nullable=False))
    op.add_column("jobs", sa.Column("stop_asked", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("jobs", sa.Column("open", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index(op.f("ix_jobs_sha256"), "jobs", ["sha256"], unique=False)
    jobs = sa.table("jobs", sa.column("status", sa.String), sa.column("open", sa.Boolean))
    op.execute(sa.update(jobs).where(jobs.c.status.in_(("queued", "running"))).values(open=True))
