"""Searchable indexes over chunks: lexical, vector and the fusion of both. All are derived from the catalog."""
