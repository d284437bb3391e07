"""Every error as RFC 9457 problem+json, with OpenAI's `error` object beside it so that their clients understand it too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from ingest.errors import GraftError, StorageFull
from ingest.files import is_full_disk

log = structlog.get_logger()

_TITLES = {
    400: "Bad request",
    401: "Key required",
    403: "Not permitted",
    404: "Not found",
    409: "Conflict",
    413: "Too large",
    422: "Input refused",
    500: "Failed",
    503: "Not available",
    507: "Storage full",
}


def problem(status: int, detail: str, *, code: str) -> dict[str, Any]:
    """The body of an error response."""
    kind = "server_error" if status >= 500 else "authentication_error" if status in (401, 403) else "invalid_request_error"
    return {
        "type": "about:blank",
        "title": _TITLES.get(status, "Error"),
        "status": status,
        "detail": detail,
        "error": {"message": detail, "type": kind, "code": code},
    }


def problem_of(error: GraftError) -> dict[str, Any]:
    """The body that tells of this error."""
    return problem(error.http_status, str(error), code=error.code)


def _response(status: int, detail: str, *, code: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(
        problem(status, detail, code=code), status_code=status, media_type="application/problem+json", headers=headers
    )


def _storage_full() -> JSONResponse:
    error = StorageFull("a disk of the server is full: free some space and try again; nothing was lost")
    return _response(error.http_status, str(error), code=error.code)


def _place(error: Mapping[str, Any], body: Any) -> tuple[str, ...]:
    """Where in the request it is wrong, without pydantic's names of the types that it tried."""
    where, *path = error["loc"]
    if where != "body":
        return tuple(map(str, error["loc"]))
    found = []
    for part in path:
        inside = part in body if isinstance(body, Mapping) else isinstance(body, list) and isinstance(part, int)
        if inside:
            body = body[part]
        if inside or (error["type"] == "missing" and part == path[-1]):
            found.append(str(part))
    return tuple(found)


def install(app: FastAPI) -> None:
    """Makes the application answer all errors in this form."""

    @app.exception_handler(GraftError)
    async def graft_error(_request: Request, error: GraftError) -> JSONResponse:
        headers = {"Retry-After": "5"} if error.http_status == 503 else None
        return _response(error.http_status, str(error), code=error.code, headers=headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        wrong = error.errors()
        if wrong[0]["type"] == "json_invalid":
            return _response(422, f"the body is not JSON: {wrong[0]['ctx']['error']}", code="invalid_request")
        # Of the shapes that a body may have, the one it comes nearest to is wrong furthest inside.
        place = max((_place(one, error.body) for one in wrong), key=len)
        said = dict.fromkeys(one["msg"] for one in wrong if _place(one, error.body) == place)
        detail = f"{'.'.join(place) or 'body'}: {', or: '.join(said)} (see /docs for what is allowed)"
        return _response(422, detail, code="invalid_request")

    @app.exception_handler(HTTPException)
    async def http_error(_request: Request, error: HTTPException) -> JSONResponse:
        if error.__cause__ is not None and is_full_disk(error.__cause__):  # while an upload was taken in
            return _storage_full()
        headers = dict(error.headers) if error.headers else None
        return _response(error.status_code, str(error.detail), code=f"http_{error.status_code}", headers=headers)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        if is_full_disk(error):
            return _storage_full()
        log.error("request failed", path=request.url.path, exc_info=error)
        return _response(500, "an unexpected error; the server's log holds its trace", code="failed")
