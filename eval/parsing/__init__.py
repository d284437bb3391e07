"""Shows and measures how files are read: the report of one file, and the figures of whole sets."""
