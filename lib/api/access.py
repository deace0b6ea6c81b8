"""Who may see or change which session over HTTP: the one place that decides it."""

from __future__ import annotations

from typing import Protocol

from starlette.requests import Request


class Access(Protocol):
    """Decides about one request and one session."""

    def may(self, request: Request, session_id: str, write: bool) -> None:
        """Return if the caller may read the session, or write to it. Raises Refused (403 or 404) if not.

        It is asked before anything of the session is read, also for a session that does not exist yet. May block: it is
        called in a thread.
        """


class Everyone:
    """Whoever passes the guards may read and write every session."""

    def may(self, request: Request, session_id: str, write: bool) -> None:
        """Allow it."""
