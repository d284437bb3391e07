"""`graft`: puts the commands together, and turns errors into one sentence and an exit code.

Exit codes: 0 done, 1 failed, 2 usage, 3 input refused, 4 a needed service is not there, 5 not permitted.
"""

from __future__ import annotations

import os
import sys

import typer

from ingest.errors import GraftError
from services.commands import (
    adapters,
    adding,
    administration,
    checking,
    comparing,
    datasets,
    documents,
    following,
    making,
    measuring,
    parsing,
    questions,
    review,
    running,
    watching,
)
from services.commands.output import err
from services.telemetry import configure_logging

app = typer.Typer(
    name="graft",
    help="A company's own knowledge base: it reads documents and answers questions from them, with citations you can check.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for command in (
    questions.demo,
    adding.add,
    watching.watch,
    parsing.parse,
    questions.search,
    questions.ask,
    comparing.compare,
    checking.check,
    making.synthesize,
    running.serve,
    running.stop,
    documents.reindex,
):
    app.command()(command)
app.add_typer(documents.app, name="documents")
app.add_typer(datasets.app, name="dataset")
app.add_typer(review.app, name="review")
app.add_typer(making.train_app, name="train")
app.add_typer(adapters.app, name="adapters")
app.add_typer(following.app, name="jobs")
app.add_typer(administration.groups_app, name="groups")
app.add_typer(administration.keys_app, name="keys")
app.add_typer(administration.models_app, name="models")
app.add_typer(administration.config_app, name="config")
app.add_typer(measuring.app, name="eval")


def main() -> None:
    """Runs the command line and ends the process with the contract's exit code."""
    configure_logging()
    # LangChain reports every call to a service of its makers where one of these is set; nothing leaves the company.
    os.environ.update(LANGSMITH_TRACING="false", LANGCHAIN_TRACING_V2="false")
    try:
        app()
    except GraftError as error:
        err.print(f"Error: {error}", markup=False)
        sys.exit(error.exit_code)
    except OSError as error:  # a file that may not be read, a folder that may not be written
        err.print(f"Error: {error.filename or 'the operating system'}: {error.strerror or error}", markup=False)
        sys.exit(GraftError.exit_code)


if __name__ == "__main__":
    main()
