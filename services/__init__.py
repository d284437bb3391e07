"""Composes the other packages into a product and serves it."""
