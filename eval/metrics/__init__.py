"""Measures of retrieval, text and classification: one small file per family."""
