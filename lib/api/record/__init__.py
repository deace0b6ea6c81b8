"""The addresses that an app of one's own sends its requests to, in place of a provider's: /v1/chat/completions,
/v1/responses, /v1/messages and /v1/models.

They are off until somebody turns them on. Who may use them is checked as for every other route; the token comes in the
header X-Windowseat-Token, because Authorization holds the provider's key.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect, Request
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from lib.api.access import Access
from lib.api.errors import Refused, refusal_of, unexpected
from lib.api.guards import Guard, read_body
from lib.api.middleware.as_sent import ACCEPTED
from lib.api.record import upstream
from lib.api.record.port import RecordPort
from lib.api.record.refusals import Kind, refusal
from lib.api.threads import Threads
from lib.errors import ChatError
from lib.settings import Endpoint

if TYPE_CHECKING:
    from lib.api.record.relay import Passing

log = logging.getLogger(__name__)

MOST_BYTES = 33_554_432
"""The largest body of a request: Anthropic takes 32 MB, and OpenAI a little more."""
ENDPOINT, SESSION = "x-windowseat-endpoint", "x-windowseat-session"
KINDS: dict[str, Kind] = {"/v1/messages": "anthropic"}
"""Whose protocol an address speaks; OpenAI's if it is not here."""
OFF = Refused(
    403,
    "recording_is_off",
    "Recording is off.",
    next_step="Turn it on on the page “Record your app”, or start the app with WINDOWSEAT_RECORD=1.",
)


def routes(port: RecordPort, guard: Guard, access: Access) -> list[BaseRoute]:
    """The routes, in the order in which they are tried."""
    threads = Threads()
    recorded = ("/v1/chat/completions", "/v1/responses", "/v1/messages")
    relays = [Route(path, Relay(port, guard, access, threads, ("POST",), records=True)) for path in recorded]
    models = Relay(port, guard, access, threads, ("GET",), records=False)
    nothing = Relay(port, guard, access, threads, (), records=False)
    return [
        *relays,
        Route("/v1/models", models),
        Route("/v1/models/{model:path}", models),
        Route("/v1/{rest:path}", nothing),
    ]


class Relay:
    """An ASGI application that passes requests on. Without methods, the address does not exist."""

    def __init__(
        self,
        port: RecordPort,
        guard: Guard,
        access: Access,
        threads: Threads,
        methods: tuple[str, ...],
        *,
        records: bool,
    ) -> None:
        self._port = port
        self._guard = guard
        self._access = access
        self._threads = threads
        self._methods = methods
        self._records = records
        self._warm = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        kind = _kind(request)
        try:
            passing = await self._prepare(request, kind)
            await passing.run(receive, send)
        except Refused as refused:
            await refusal(kind, refused)(scope, receive, send)
        except ClientDisconnect:
            return

    async def _prepare(self, request: Request, kind: Kind) -> Passing:
        """The request, ready to be passed on. Raises Refused."""
        try:
            return await self._checked(request, kind)
        except (Refused, ClientDisconnect):
            raise
        except ChatError as error:
            raise refusal_of(error) from error
        except Exception as error:
            log.exception("%s could not be passed on", request.scope["path"])
            raise unexpected(error) from error

    async def _checked(self, request: Request, kind: Kind) -> Passing:
        """Check the request, choose its provider, and begin to record it."""
        from lib.api.record.relay import Passing, of_request
        from lib.recorder.secrets import secrets_in
        from lib.recorder.tape import Tape

        self._guard.check_caller(request, bearer=False)
        path = request.scope["path"]  # that of request.url depends on the Host header
        if request.method not in self._methods or not upstream.is_plain(path):
            raise _no_such_address(request, self._methods if upstream.is_plain(path) else ())
        if not self._warm:
            await self._threads.run(self._get_ready)
            self._warm = True
        recorder = self._port.recorder()
        if not recorder.on:
            raise OFF
        endpoint = self._endpoint(request, kind)
        owner = await self._threads.run(lambda: self._access.owner(request))
        session = await self._session(request)
        data = await read_body(request, MOST_BYTES) if self._records else b""
        local = await self._threads.run(self._port.local_address) if endpoint.kind == "local" else None
        raw = [*request.scope["headers"], *request.scope.get(ACCEPTED, [])]
        url = upstream.address(endpoint, path, of_request(request), None if local is None else local.url)
        headers = upstream.request_headers(raw, None if local is None else local.key)
        tape = None
        if self._records:
            secrets = secrets_in((name.decode("latin-1"), value.decode("latin-1")) for name, value in raw)
            tape = Tape(path, upstream.shown(url), endpoint, data, secrets, session, owner)
            recorder.start(tape)
        return Passing(request.method, url, headers, data, endpoint.label, tape)

    def _get_ready(self) -> None:
        """What the first request would wait for."""
        upstream.warm()
        self._port.recorder()
        self._port.endpoints()

    def _endpoint(self, request: Request, kind: Kind) -> Endpoint:
        """The provider that the request names, or the chosen one. Raises Refused (400)."""
        from lib.recorder.recorder import takes

        endpoints, named = self._port.endpoints(), request.headers.get(ENDPOINT, "").strip()
        if not named:
            return self._port.recorder().target(kind, endpoints)
        usable = {name: endpoint for name, endpoint in endpoints.items() if takes(endpoint, kind)}
        if named not in usable:
            what = f"X-Windowseat-Endpoint names no provider that speaks this protocol. There are: {', '.join(usable)}."
            raise Refused(400, "unknown_endpoint", what)
        return usable[named]

    async def _session(self, request: Request) -> str:
        """The session that the request names, if the caller may write to it; empty without one."""
        from lib.history import valid_session_id

        named = request.headers.get(SESSION, "").strip()
        if not named:
            return ""
        if not valid_session_id(named):
            what = "X-Windowseat-Session must have 1 to 128 of the characters A-Z a-z 0-9 . _ -"
            raise Refused(400, "invalid_session", what)
        await self._threads.run(lambda: self._access.may(request, named, True))
        return named


def _kind(request: Request) -> Kind:
    """Whose protocol a request speaks. Both vendors have /v1/models, but only one has the header."""
    path = request.scope["path"]
    if path.startswith("/v1/models") and "anthropic-version" in request.headers:
        return "anthropic"
    return KINDS.get(path, "openai")


def _no_such_address(request: Request, methods: tuple[str, ...]) -> Refused:
    if methods:
        what = f"This address does not take {request.method[:20]}, but {', '.join(methods)}."
        return Refused(405, "method_not_allowed", what, headers={"allow": ", ".join(methods)})
    what = "Only /v1/chat/completions, /v1/responses, /v1/messages and /v1/models are passed on."
    return Refused(404, "not_found", what, next_step="Send other requests to the provider itself.")
