"""Checks the Python, then hands over to stages.py. Written so that any Python since 2.6 can read it and say what is wrong."""
# ruff: noqa: RUF005, UP031

import os
import sys

OLDEST, NEWEST = (3, 11), (3, 13)


def main():
    """Runs `stages.main` under a Python that Graft works with, or says in one sentence that there is none."""
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        for name in ("python3.13", "python3.12", "python3.11"):
            try:
                os.execvp(name, [name] + sys.argv)  # noqa: S606
            except OSError:
                continue
        sys.exit(
            "Graft needs Python 3.11, 3.12 or 3.13; this is %d.%d and no other was found. "
            "Install one, for example with `apt-get install python3`, and run the command again." % sys.version_info[:2]
        )
    sys.dont_write_bytecode = True
    from stages import main as run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
