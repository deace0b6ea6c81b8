"""Exact sizes of messages, by a llama.cpp server's own tokenizer and chat template.

The rule: the sizes of a request's messages plus `template` are what the server counts for the request, to the token, when
the last message is the user's. A server of which this is not so has no LlamaCounter.
It leaves out how a template is learnt (lib/providers/llama/template.py) and how a server is reached: that is the adapter's.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Protocol

from lib.messages import Message
from lib.providers.llama.server import Ask, LlamaServer
from lib.providers.llama.template import Template, learn, piece
from lib.providers.wire_format import wire_message
from lib.settings import Endpoint
from lib.tokens import Provenance, TokenCounter

KEPT_COUNTS = 100_000
"""Of one model; the oldest leave first. About 25 MB."""
SHORT = 64
"""Characters up to which a text is its own key; a longer one is known by its digest."""


class Learnt:
    """What is known of one model on one server: its template, and the sizes of messages it was asked for.

    Holds no key, so it is shared by everybody who asks that server. Safe to share between threads.
    """

    def __init__(self, model: str, template: Template) -> None:
        self.model = model
        self.template = template
        self._lock = threading.Lock()
        self._sizes: dict[Hashable, int] = {}

    def known(self, keys: Sequence[Hashable]) -> dict[Hashable, int]:
        """The sizes that are known."""
        with self._lock:
            return {key: self._sizes[key] for key in keys if key in self._sizes}

    def keep(self, sizes: dict[Hashable, int]) -> None:
        """Remember these."""
        with self._lock:
            self._sizes |= sizes
            for key in list(self._sizes)[: max(0, len(self._sizes) - KEPT_COUNTS)]:
                del self._sizes[key]


class LlamaCounter:
    """A TokenCounter whose numbers are the server's own. `label` is how people call the server."""

    provenance: Provenance = "counted"

    def __init__(self, ask: Ask, label: str, learnt: Learnt) -> None:
        self.learnt = learnt
        self._server = LlamaServer(ask, label)

    @classmethod
    def learn(cls, ask: Ask, label: str) -> LlamaCounter | None:
        """Learn from a server; None where it has no tokenizer to ask, or a template that is no sum of messages.

        About 40 small requests. Raises ProviderError where the server cannot be asked now.
        """
        server = LlamaServer(ask, label)
        props = server.props()
        template = learn(server) if props is not None else None
        if props is None or template is None:
            return None
        name = props.get("model_alias") or PurePath(str(props.get("model_path"))).stem
        return cls(ask, label, Learnt(str(name), template))

    @property
    def name(self) -> str:
        """Example: "llama.cpp SmolLM2-135M-Instruct"."""
        return f"llama.cpp {self.learnt.model}"

    def count(self, message: Message) -> int:
        """Tokens of the message's block in the prompt. Raises ProviderError."""
        return self.count_many([message])[0]

    def count_many(self, messages: Sequence[Message]) -> list[int]:
        """The same for many: only those that were never counted are asked for, together. Raises ProviderError."""
        keys = [_key(message) for message in messages]
        sizes = self.learnt.known(keys)
        fresh = {key: message for key, message in zip(keys, messages, strict=True) if key not in sizes}
        if fresh:
            template = self.learnt.template
            pieces = [piece(self._server, template, wire_message(message)) for message in fresh.values()]
            counted = self._server.sizes([text for text, _ in pieces], batches=template.batches)
            new = {key: size - beyond for key, size, (_, beyond) in zip(fresh, counted, pieces, strict=True)}
            self.learnt.keep(new)
            sizes |= new
        return [sizes[key] for key in keys]

    def template(self, has_system: bool) -> int:
        """Tokens of the reply's opening, and of the system block that the template adds where the request has none."""
        return self.learnt.template.lead[has_system]


@dataclass(slots=True)
class _Server:
    """What one address turned out to be."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    asked: bool = False
    serves: tuple[object, ...] | None = None
    learnt: Learnt | None = None
    own: LlamaCounter | None = None


_servers: dict[str, _Server] = {}


def counter_at(url: str, ask: Ask, label: str, *, own: bool) -> LlamaCounter | None:
    """The counter of the server with this base URL, learnt once per process; None is remembered, a failure is not.

    A server that now serves another model is learnt again. `own` says that `ask` uses no key but the installation's: only
    then is it kept, for whoever has no provider at hand. Raises ProviderError.
    """
    server = _servers.setdefault(url, _Server())
    with server.lock:
        if server.asked and server.learnt is None:
            return None
        props = LlamaServer(ask, label).props()
        serves = None if props is None else (props.get("model_path"), props.get("model_alias"), props["chat_template"])
        if serves is None or serves != server.serves:
            server.asked, server.learnt, server.own = False, None, None  # should learning fail now
            fresh = None if serves is None else LlamaCounter.learn(ask, label)
            server.learnt = None if fresh is None else fresh.learnt
            server.serves, server.asked = serves, True
        if server.learnt is None:
            return None
        if not own:
            return LlamaCounter(ask, label, server.learnt)
        server.own = server.own or LlamaCounter(ask, label, server.learnt)
        return server.own


class HasCounter(Protocol):
    """The model on this machine."""

    def known_counter(self) -> TokenCounter | None:
        """Its counter, where it runs and was learnt."""


def known_counter(endpoint: Endpoint, local: HasCounter) -> TokenCounter | None:
    """The counter of an endpoint as far as it is known by now; asks nobody, and starts nothing."""
    if endpoint.kind == "local":
        return local.known_counter()
    server = _servers.get(endpoint.base_url or "")
    return None if server is None else server.own


def _key(message: Message) -> Hashable:
    """The same for messages that are sent alike."""
    content = message.content
    if message.extra or not isinstance(content, str):
        whole = json.dumps(message.to_dict(), sort_keys=True, default=str)
        return _digest(whole)
    return message.role, content if len(content) <= SHORT else _digest(content)


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
