"""Judges answers and measures the product. Imports `ingest` only."""
