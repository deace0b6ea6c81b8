"""Counts tokens exactly, with a llama.cpp server's own tokenizer and chat template.

The sizes of a request's messages plus `template` are exactly what the server counts for the request, if its last
message is the user's. A server for which this does not hold gets no LlamaCounter.
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
from lib.providers.llama.template import Template, learn_template, text_to_count
from lib.providers.wire_format import wire_message
from lib.settings import Endpoint
from lib.tokens import Provenance, TokenCounter
from lib.tokens.counted import NON_TEXT_PART, Counted, counted

KEPT_COUNTS = 100_000
"""Sizes remembered for one model, about 25 MB. The oldest are forgotten first."""
SHORT = 64
"""Texts up to this many characters are their own key; longer ones are identified by their digest."""


class LearnedModel:
    """What is known about one model on one server: its template, and the sizes of messages counted before.

    It holds no key, so everybody who uses the server shares it. Safe to share between threads.
    """

    def __init__(self, model: str, template: Template) -> None:
        self.model = model
        self.template = template
        self._lock = threading.Lock()
        self._sizes: dict[Hashable, int] = {}

    def known_sizes(self, keys: Sequence[Hashable]) -> dict[Hashable, int]:
        """The remembered sizes in tokens, for those of the keys that have one."""
        with self._lock:
            return {key: self._sizes[key] for key in keys if key in self._sizes}

    def remember(self, sizes: dict[Hashable, int]) -> None:
        """Remember these sizes in tokens."""
        with self._lock:
            self._sizes |= sizes
            for key in list(self._sizes)[: max(0, len(self._sizes) - KEPT_COUNTS)]:
                del self._sizes[key]


class LlamaCounter:
    """A TokenCounter whose numbers are the server's own. `label` is the server's name on pages."""

    provenance: Provenance = "counted"

    def __init__(self, ask: Ask, label: str, learned: LearnedModel) -> None:
        self.learned = learned
        self._server = LlamaServer(ask, label)

    @classmethod
    def learn(cls, ask: Ask, label: str) -> LlamaCounter | None:
        """Learn from a server, with about 40 small requests.

        None if the server has no tokenizer to ask, or a template that is not a sum of messages. Raises ProviderError
        if the server cannot be asked now.
        """
        server = LlamaServer(ask, label)
        props = server.props()
        template = learn_template(server) if props is not None else None
        if props is None or template is None:
            return None
        name = props.get("model_alias") or PurePath(str(props.get("model_path"))).stem
        return cls(ask, label, LearnedModel(str(name), template))

    @property
    def name(self) -> str:
        """Example: "llama.cpp SmolLM2-135M-Instruct"."""
        return f"llama.cpp {self.learned.model}"

    def count(self, message: Message) -> int:
        """Tokens of the message's block in the prompt. Raises ProviderError."""
        return self.count_many([message])[0]

    def count_many(self, messages: Sequence[Message]) -> list[int]:
        """Tokens of each message. Only those never counted before are sent, together. Raises ProviderError.

        An image or a file is NON_TEXT_PART tokens: how many it has depends on the model, and the server is not sent it.
        """
        each = [counted(message) for message in messages]
        keys = [_key(one.message) for one in each]
        sizes = self.learned.known_sizes(keys)
        uncounted = {key: one.message for key, one in zip(keys, each, strict=True) if key not in sizes}
        if uncounted:
            template = self.learned.template
            texts = [text_to_count(self._server, template, wire_message(message)) for message in uncounted.values()]
            counts = self._server.count_texts([text for text, _ in texts], in_batches=template.in_batches)
            new = {key: count - others for key, count, (_, others) in zip(uncounted, counts, texts, strict=True)}
            self.learned.remember(new)
            sizes |= new
        return [sizes[key] + _apart(one) for key, one in zip(keys, each, strict=True)]

    def template(self, has_system: bool) -> int:
        """Tokens beyond the messages: the reply's start, and the system block that a template adds if there is none."""
        return self.learned.template.overhead[has_system]


@dataclass(slots=True)
class _KnownServer:
    """What is known about the server at one address."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    probed: bool = False
    serves: tuple[object, ...] | None = None
    """The model's path, alias and template; None if it is not a llama.cpp server."""
    learned: LearnedModel | None = None
    own_key_counter: LlamaCounter | None = None
    """The counter that asks with the installation's own key."""


_servers: dict[str, _KnownServer] = {}


def forget_servers() -> None:
    """Learn every server again when it is next asked."""
    _servers.clear()


def counter_at(url: str, ask: Ask, label: str, *, own_key: bool) -> LlamaCounter | None:
    """The counter of the server with this base URL, learned once per process and again if it serves another model.

    None is remembered, a failure is not. `own_key` says that `ask` uses no key but the installation's: only then is the
    counter kept for pages that have no provider at hand. Raises ProviderError.
    """
    server = _servers.setdefault(url, _KnownServer())
    with server.lock:
        if server.probed and server.learned is None:
            return None
        props = LlamaServer(ask, label).props()
        serves = None if props is None else (props.get("model_path"), props.get("model_alias"), props["chat_template"])
        if serves is None or serves != server.serves:
            server.probed, server.learned, server.own_key_counter = False, None, None  # in case learning fails
            counter = None if serves is None else LlamaCounter.learn(ask, label)
            server.learned = None if counter is None else counter.learned
            server.serves, server.probed = serves, True
        if server.learned is None:
            return None
        if not own_key:
            return LlamaCounter(ask, label, server.learned)
        server.own_key_counter = server.own_key_counter or LlamaCounter(ask, label, server.learned)
        return server.own_key_counter


class HasCounter(Protocol):
    """The model on this machine."""

    def known_counter(self) -> TokenCounter | None:
        """Its counter, if it is running and was learned."""


def known_counter(endpoint: Endpoint, local: HasCounter) -> TokenCounter | None:
    """The counter of an endpoint if it is already known. Sends nothing and starts nothing."""
    if endpoint.kind == "local":
        return local.known_counter()
    server = _servers.get(endpoint.base_url or "")
    return None if server is None else server.own_key_counter


def _key(message: Message) -> Hashable:
    """The same for messages that are sent alike."""
    content = message.content
    if message.extra or not isinstance(content, str):
        return _digest(json.dumps(message.to_dict(), sort_keys=True, default=str))
    return message.role, content if len(content) <= SHORT else _digest(content)


def _apart(one: Counted) -> int:
    return (len(one.images) + one.others) * NON_TEXT_PART


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
