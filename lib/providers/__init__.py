"""What a model provider can do: prepare a request, send exactly those bytes, and stream the reply.

A provider belongs to one endpoint and one key, and any thread may use it. Its streams always end with one Reply, and
every vendor exception leaves as a ChatError.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from lib.generation import OFF, Generation
from lib.messages import Message, Usage
from lib.providers.export import Address
from lib.request_rules import RuleProvider
from lib.tokens import TokenCounter

MOST_CHARACTERS = 2_000_000
"""Longest reply that is read, in characters. The largest output limit of a model is about a quarter of this."""


@dataclass(frozen=True, slots=True)
class CacheQuestion:
    """Asks a provider why its prompt cache missed."""

    previous_reply: str | None = None
    """What the provider called its reply to the request to compare with. None asks it to remember this request, so that
    the next one can be compared."""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One request: every message to send, the system prompt first, and the longest reply allowed, in tokens."""

    model: str
    messages: Sequence[Message]
    max_output_tokens: int
    generation: Generation = OFF
    """Its max_reply_tokens is not looked at: max_output_tokens is the limit."""
    cache_question: CacheQuestion | None = None
    """Sent where the protocol has a field for it; None sends nothing."""


@dataclass(frozen=True, slots=True)
class SentBody:
    """A prepared request, as the bytes that go out. It holds no key."""

    request: ChatRequest
    """The request it was prepared from."""
    body: Mapping[str, Any]
    """The JSON object in `data`, for showing."""
    data: bytes
    """The whole HTTP body: UTF-8 JSON without spaces."""
    sha256: str
    """SHA-256 of `data` in hexadecimal, which a turn records."""
    unsent: tuple[str, ...] = ()
    """Generation settings of the request that the protocol has no field for, by their names in Generation."""

    @classmethod
    def of(cls, request: ChatRequest, body: Mapping[str, Any], unsent: tuple[str, ...] = ()) -> SentBody:
        """Serialise and hash a body. Raises ValueError for NaN and infinities, which JSON does not have."""
        data = body_bytes(body)
        return cls(request, body, data, hashlib.sha256(data).hexdigest(), unsent)


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of the reply."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """The next piece of the reasoning that the provider lets people read. It is not part of the reply."""

    text: str


@dataclass(frozen=True, slots=True)
class Reply:
    """The end of a stream.

    `stop_reason` is "end", "length" (cut off at max_output_tokens), "too_long" (we stopped reading at
    MOST_CHARACTERS), "refused", "repetition" (ended by lib/providers/repetition.py), or the provider's own word where
    none of these fits.
    """

    text: str
    usage: Usage = field(default_factory=Usage)
    model: str = ""
    stop_reason: str | None = None
    request_id: str | None = None
    note: str = ""
    """What the provider reported and cannot be used, as a sentence for people."""
    reasoning: str = ""
    """The reasoning that can be read; empty if there was none, or if the provider hides it."""
    reply_id: str | None = None
    """What the provider calls this reply."""
    cache_diagnosis: Mapping[str, Any] = field(default_factory=dict)
    """What the provider says about its prompt cache, as it came; empty if nothing."""


StreamEvent = TextDelta | ReasoningDelta | Reply
"""What a provider's stream yields. The last one is the Reply."""


class Provider(Protocol):
    """One endpoint that answers requests."""

    @property
    def name(self) -> str:
        """The name in settings and turns: "local", "openai", "anthropic", or a configured endpoint's name."""

    @property
    def rules(self) -> RuleProvider | None:
        """Whose rules requests must follow; None if no rules are known."""

    def prepare(self, request: ChatRequest) -> SentBody:
        """The exact bytes of the request. Sends nothing, and needs neither a key nor an SDK."""

    def address(self) -> Address:
        """Where requests go, for people who want to send one themselves. It holds no key."""

    def stream(self, sent: SentBody) -> Iterator[StreamEvent]:
        """Send exactly `sent.data` and yield the reply. Closing the iterator early ends the request.

        Raises ProviderError or ContextOverflow.
        """

    def models(self) -> list[str]:
        """The model names the server lists. Raises ProviderError."""

    def count(self, request: ChatRequest) -> int | None:
        """Tokens of this request by the provider's counting endpoint; None if it has none. Raises ProviderError."""

    def counter(self) -> TokenCounter | None:
        """The server's own per-message tokenizer, learned on first use; None if it has none. Raises ProviderError."""


def body_bytes(body: Mapping[str, Any]) -> bytes:
    """A body as UTF-8 JSON without spaces.

    Stored turns record the SHA-256 of this serialisation, so it must never change. Raises ValueError for NaN.
    """
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
