"""Makes training data, trains adapters and house models. Imports `eval` and `ingest`."""
