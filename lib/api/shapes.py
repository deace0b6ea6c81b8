"""The JSON objects of the HTTP routes, as types: they check what comes in, and the OpenAPI document is made of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from lib.generation import HIGHEST_TEMPERATURE, LARGEST_SEED, LONGEST_REPLY, LONGEST_STOP, MOST_STOPS, ReasoningEffort

SESSION_ID = r"^(?!\.{1,2}$)[A-Za-z0-9._-]{1,128}$"
"""A session id. The two names that a path cannot hold are taken out."""
MOST_SHOWN = 1000
"""Most messages in one response."""

SessionId = Annotated[
    str,
    msgspec.Meta(
        pattern=SESSION_ID,
        description="1 to 128 of the characters A-Z a-z 0-9 . _ -",
        examples=["0f8fad5b-d9cb-469f-a165-70867728950e"],
    ),
]

SOMETHING = r"[^\s\x1c-\x1f\x85\ufeff]"
"""A text with more than blanks. Python and ECMAScript (as JSON Schema means it) agree on no other spelling of that."""


StopText = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_STOP)]
ModelName = Annotated[
    str,
    msgspec.Meta(
        max_length=200, pattern=r"^[!-~]([ -~]*[!-~])?$", description="a model of the provider, for this message"
    ),
]


class GenerationSettings(msgspec.Struct, rename="camel"):
    """How the model writes this reply. What is left out or null is not sent, so the chat's own setting does not apply
    either."""

    temperature: Annotated[float, msgspec.Meta(ge=0, le=HIGHEST_TEMPERATURE)] | None = None
    top_p: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    # float, because JSON has one kind of number: 7.0 is a whole one too
    seed: Annotated[float, msgspec.Meta(ge=0, le=LARGEST_SEED, multiple_of=1)] | None = None
    max_reply_tokens: Annotated[float, msgspec.Meta(ge=1, le=LONGEST_REPLY, multiple_of=1)] | None = None
    reasoning_effort: ReasoningEffort | None = None
    stop: Annotated[list[StopText], msgspec.Meta(max_length=MOST_STOPS)] = []


class NewMessage(msgspec.Struct, rename="camel"):
    """A message to send. Without `sessionId` it begins a new chat. Fields that are not listed are ignored, keys among
    them."""

    message: Annotated[str, msgspec.Meta(min_length=1, pattern=SOMETHING, description="what the person says")]
    session_id: SessionId | None = None
    provider: str | None = None
    model: ModelName | None = None
    generation: GenerationSettings | None = None


class Usage(msgspec.Struct):
    """Tokens as the provider reported them; null where it did not. Input includes what came from or went to its cache,
    output includes hidden reasoning."""

    input_tokens: int | None
    cached_tokens: int | None
    cache_write_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    hidden_tokens: int | None


class ChatReply(msgspec.Struct, rename="camel"):
    """The reply to a message. Both are stored when it comes."""

    session_id: SessionId
    reply: str
    usage: Usage


class Delta(msgspec.Struct, rename="camel"):
    """The data of an event `delta`: the next piece of the reply."""

    session_id: SessionId
    text: str


class Cleared(msgspec.Struct):
    """The answer to DELETE, whether there was anything to delete or not."""

    message: Literal["Session cleared"]


class Health(msgspec.Struct):
    """The app answers, and its store does."""

    status: Literal["ok"]


class ErrorReport(msgspec.Struct):
    """What happened, for programs (`code`) and for people: what happened, what is safe, what to do next."""

    code: str
    message: str
    safe: str
    next_step: str


class Error(msgspec.Struct):
    """Every response that is not a success, and the data of an event `error`."""

    error: ErrorReport


class StoredMessage(msgspec.Struct):
    """A message as it is stored. It may have further fields."""

    role: str
    content: Any = None


class ChatTurn(msgspec.Struct, rename="camel"):
    """One finished request. `status` is "stopped" where the reply was ended before it was complete."""

    number: int
    status: Literal["complete", "stopped"]
    provider: str
    model: str
    stop_reason: str | None
    usage: Usage


class Live(msgspec.Struct):
    """A message that is being answered, or whose reply was interrupted and waits for a decision."""

    prompt: str
    text: str
    interrupted: bool
    error: ErrorReport | None


class Chat(msgspec.Struct, rename="camel"):
    """A chat. `messages` are stored ones in their order, `first` is the stored index of the first of them, `total` is
    how many are stored. `turns` are the newest ones, oldest first. `expiresIn` is in seconds, null for never."""

    session_id: SessionId
    title: str
    provider: str
    model: str
    total: int
    first: int
    messages: list[StoredMessage]
    turns: list[ChatTurn]
    live: Live | None
    expires_in: float | None
