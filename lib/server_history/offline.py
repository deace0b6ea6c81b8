"""LocalReplica: every approach on this machine and without a key, with the embedded model answering.

Approaches that need a server with a history use the replica (lib/replica), whose endpoint says that it is one; the
manual approach sends to the model directly. Either way the model is asked once for each conversation: two lanes with
the same messages get the same reply, and can be compared. Nothing starts before its first use, and nothing leaves this
machine. What the replica holds is gone when the process ends: a handle from before a restart raises ConversationGone.

A replica has one key and no accounts: whoever knows an id can read its conversation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lib.messages import Usage
from lib.providers import ChatRequest, Provider, Reply, SentBody, StreamEvent, TextDelta
from lib.providers.export import Address
from lib.providers.llama.process import WHOLE, LocalModel, LocalProvider
from lib.providers.openai import OpenAIProvider
from lib.replica.asked_once import Answer, AskedOnce, request_key
from lib.replica.http_values import LABEL
from lib.replica.model import embedded_backend
from lib.replica.reply import ReplyEnd, ReportedUsage
from lib.replica.server import ReplicaServer
from lib.server_history import Approach, ServerHistory, ThreadSettings
from lib.server_history.factory import open_server_history
from lib.settings import Endpoint
from lib.tokens import TokenCounter

NAME = "replica"


class LocalReplica:
    """A replica, and the provider that sends to its model directly. Safe to share between threads.

    Example: history = LocalReplica.on(LocalModel()).history("conversations"); handle = history.create("Be brief.")
    """

    label = LABEL[:1].upper() + LABEL[1:]
    """Shown beside everything that comes from it; sentences about its failures begin with it."""

    def __init__(self, server: ReplicaServer, direct: Provider, model: str) -> None:
        self._server, self._direct, self._model = server, direct, model

    @classmethod
    def on(cls, model: LocalModel) -> LocalReplica:
        """A replica with the embedded model, which starts with the first turn."""
        asked_once = AskedOnce()
        direct = AskedOnceProvider(LocalProvider(model, WHOLE), asked_once)
        return cls(ReplicaServer(embedded_backend(model), asked_once=asked_once), direct, model.name)

    @property
    def window(self) -> int:
        """The model's context window in tokens."""
        return self._server.window

    @property
    def running(self) -> bool:
        """Whether the replica was started and answers."""
        return self._server.running

    def endpoint(self, approach: Approach) -> Endpoint:
        """The endpoint for this approach, key included. Starts the replica if it needs one. Raises ProviderUnavailable.

        Its URL is valid until `close`; a later start uses another one and still holds the same conversations.
        """
        if approach == "manual":
            return Endpoint("local", "local", "The model on this machine", model=self._model, window=self.window)
        self._server.start()
        claude = approach == "claude"
        return Endpoint(
            NAME,
            "anthropic" if claude else "openai",
            self.label,
            base_url=self._server.url if claude else f"{self._server.url}/v1",
            model=self._model,
            key=self._server.key,
            needs_key=True,
            window=self.window,
        )

    def history(self, approach: Approach, settings: ThreadSettings | None = None) -> ServerHistory:
        """The adapter for this approach; cheap, so open one per use. Raises ProviderUnavailable."""
        endpoint = self.endpoint(approach)
        return open_server_history(approach, endpoint, endpoint.key, self._direct, settings)

    def contents(self) -> dict[str, Any]:
        """What the replica holds, as lib/replica/drills.py lists it; empty if it does not run. Starts nothing, and does
        not count as a use."""
        return dict(self._request("/replica/contents") or {}) if self.running else {}

    def expire(self, id_: str) -> bool:
        """Make the replica forget an id as if its time were over. Returns whether it held it."""
        return self.running and self._request("/replica/expire", {"id": id_}) is not None

    def holds(self, id_: str) -> bool:
        """Whether the replica still has something under this id. Starts nothing, and does not count as a use."""
        contents = self.contents()
        return any(
            entry["id"] == id_ for entries in contents.values() if isinstance(entries, list) for entry in entries
        )

    def close(self) -> None:
        """Stop the replica. The model keeps running; it belongs to the caller."""
        self._server.close()

    def _request(self, path: str, body: dict[str, Any] | None = None) -> Any:
        endpoint = self.endpoint("conversations")
        return OpenAIProvider(endpoint, endpoint.key).ask_root(path, body)


class AskedOnceProvider:
    """A provider that shares its replies with a replica: what either of them has answered is not sent again."""

    def __init__(self, provider: Provider, asked_once: AskedOnce) -> None:
        self.name, self.rules = provider.name, provider.rules
        self._provider, self._asked_once = provider, asked_once

    def prepare(self, request: ChatRequest) -> SentBody:
        """The bytes as the provider sends them."""
        return self._provider.prepare(request)

    def address(self) -> Address:
        """The provider's own."""
        return self._provider.address()

    def models(self) -> list[str]:
        """The provider's own."""
        return self._provider.models()

    def count(self, request: ChatRequest) -> int | None:
        """By the provider."""
        return self._provider.count(request)

    def counter(self) -> TokenCounter | None:
        """The provider's own."""
        return self._provider.counter()

    def stream(self, sent: SentBody) -> Iterator[StreamEvent]:
        """The remembered reply to the same messages, if there is one; else the provider's, which is remembered."""
        key, pieces = request_key(sent.body["messages"], sent.request.max_output_tokens), list[str]()
        known = self._asked_once.get(key)
        if known is not None:
            yield from map(TextDelta, known.pieces)
            yield _as_reply(known)
            return
        for event in self._provider.stream(sent):
            if isinstance(event, TextDelta):
                pieces.append(event.text)
            elif isinstance(event, Reply):
                self._asked_once.keep(key, Answer(tuple(pieces), _as_end(event)))
            yield event


def _as_reply(answer: Answer) -> Reply:
    end = answer.end
    usage = Usage() if end.usage is None else Usage(end.usage.input, end.usage.cached, None, end.usage.output)
    return Reply("".join(answer.pieces), usage, end.model, "length" if end.cut_off else "end")


def _as_end(reply: Reply) -> ReplyEnd:
    usage, cut_off = reply.usage, reply.stop_reason == "length"
    if usage.input_tokens is None or usage.output_tokens is None:
        return ReplyEnd(reply.model, cut_off)
    return ReplyEnd(
        reply.model, cut_off, usage=ReportedUsage(usage.input_tokens, usage.cached_tokens, usage.output_tokens)
    )
