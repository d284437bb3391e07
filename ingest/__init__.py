"""Reads, splits, embeds, indexes and finds. Imports no other package of ours."""
