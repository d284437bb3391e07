"""Who is calling, and what they may read.

While no key exists, callers on this machine are the administrator. That trust is in the loopback address, so a page of some
other site must not borrow it: requests must name a loopback host, and come from no foreign origin.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, HTTPException, Request

from ingest.errors import NotPermitted
from ingest.groups import Groups
from ingest.types import Access
from services.home import LOOPBACK
from services.knowledge_base import KnowledgeBase


def knowledge_base(request: Request) -> KnowledgeBase:
    """The application object of this server."""
    found: KnowledgeBase = request.app.state.knowledge_base
    return found


def caller(request: Request, kb: Annotated[KnowledgeBase, Depends(knowledge_base)]) -> Access:
    """The caller's access, by key, or as the administrator on a machine without keys.

    Raises:
        HTTPException: 401 where a key is needed or the one given is not known.
    """
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    secret = secret.strip() if scheme.lower() == "bearer" else ""
    # OpenAI's clients must send some key: where none is needed, any will do.
    if not kb.keys.required():
        _require_local(request)
        return Access.everything()
    if secret and hmac.compare_digest(secret.encode(), request.app.state.local_key.encode()):
        return Access.everything()
    try:
        return kb.keys.access(secret)
    except NotPermitted as error:
        raise HTTPException(401, str(error) if secret else _KEY_NEEDED, _CHALLENGE) from error


def administrator(access: Annotated[Access, Depends(caller)]) -> Access:
    """The caller, who must be an administrator.

    Raises:
        NotPermitted: the key is not an administrator's.
    """
    if not access.administrator:
        raise NotPermitted("this needs an administrator's key")
    return access


def narrowed(access: Access, names: Sequence[str] | None, groups: Groups) -> Access:
    """The caller's access, cut down to these groups where some are given; never more than the caller has.

    Groups that the caller does not hold say nothing, whether they exist or not. An administrator holds all that exist.

    Raises:
        InputRefused: an administrator named a group that does not exist.
    """
    if names is None:
        return access
    if access.administrator:
        return Access.of(*groups.require(names, access=access))
    return Access.of(*access.groups.intersection(names))


_CHALLENGE = {"WWW-Authenticate": "Bearer"}
_KEY_NEEDED = "an API key is needed: send it as a bearer token"

Caller = Annotated[Access, Depends(caller)]
Administrator = Annotated[Access, Depends(administrator)]
TheKnowledgeBase = Annotated[KnowledgeBase, Depends(knowledge_base)]


def _require_local(request: Request) -> None:
    """A browser names the page that makes it call (`Origin`) and the host that it believes to call (`Host`): both must be us."""
    origin = request.headers.get("origin")
    try:
        named, from_page = urlsplit(f"//{request.headers.get('host', '127.0.0.1')}"), urlsplit(origin or "")
        is_local = named.hostname in LOOPBACK and (origin is None or from_page.netloc == named.netloc)
    except ValueError:  # no host at all
        is_local = False
    if not is_local:
        raise HTTPException(
            401, "without API keys only this machine is served: make one with `graft keys create --admin`", _CHALLENGE
        )
