"""Readers: one module for each format, one place (`registry`) that goes from a file's content to its reader."""
