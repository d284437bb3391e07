"""The command line's commands, a file for each kind; `services.cli` puts them together."""
