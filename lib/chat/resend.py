"""Sends a recorded request again after a person edited its JSON, as a new session.

The edited messages become the history of the new session, and the last one is sent as its first message. So what is
stored there is what the edited request holds, and its turn is a turn like any other. Fields that the app does not send
by itself, such as a temperature, are sent as they were typed.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from lib import outside_values
from lib.chat.forks import UNTITLED
from lib.chat.request_reader import ProviderOpener
from lib.chat.service import ChatService
from lib.chat_settings import ChatSettings
from lib.errors import ImportRefused
from lib.generation import OFF
from lib.history import Recording
from lib.history.sessions import Parent
from lib.messages import Message
from lib.request_rules import RuleProvider
from lib.request_rules.check import Breach, breaches

LIMITS = ("max_tokens", "max_completion_tokens")
"""Fields that hold the longest reply, in tokens."""
OWN_FIELDS = {"model", "messages", "system", "stream", "stream_options", *LIMITS}
"""Fields that the app fills in by itself, from the session's settings and messages."""
MOST_CHARACTERS = 4_000_000
"""Longest edited request, in characters."""


@dataclass(frozen=True, slots=True)
class EditedRequest:
    """A request as a person typed it. `history` are its messages before the last one, which is `prompt`."""

    model: str
    system_prompt: str
    history: tuple[Message, ...]
    prompt: str
    reply_tokens: int | None
    """The longest reply it allows; None if it does not say."""
    fields: Mapping[str, Any]
    """What it sends besides model, messages and the app's own fields."""

    @property
    def messages(self) -> list[Message]:
        """All of its messages, the system prompt first."""
        first = [Message("system", self.system_prompt)] if self.system_prompt else []
        return [*first, *self.history, Message("user", self.prompt)]

    def breaches(self, rules: RuleProvider | None) -> list[Breach]:
        """The rules of this provider that it breaks; none if no rules are known."""
        return [] if rules is None else breaches(rules, self.messages)


def read_edited(text: str) -> EditedRequest:
    """Read the JSON of an edited request. Raises ImportRefused, which says what is wrong and where."""
    if len(text) > MOST_CHARACTERS:
        _refuse(f"The request has {len(text):,} characters. At most {MOST_CHARACTERS:,} are read.")
    try:
        body = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        _refuse(f"This is not JSON: {error.msg}, in line {error.lineno}, column {error.colno}.")
    except (RecursionError, ValueError) as error:
        _refuse("It is nested too deeply." if isinstance(error, RecursionError) else f"This is not JSON: {error}.")
    if not isinstance(body, dict) or not isinstance(body.get("messages"), list):
        _refuse("A request is an object with a list named “messages”.")
    if outside_values.is_too_deep(body):
        _refuse("It is nested too deeply.")
    messages = [_message(at, stored) for at, stored in enumerate(body["messages"], 1)]
    system_prompt, messages = _split_system(body.get("system"), messages)
    if not messages or messages[-1].role != "user" or not messages[-1].text.strip():
        _refuse("The last message must be the user's and hold some text, because it is what the model answers.")
    if not isinstance(messages[-1].content, str):
        _refuse("The last message must hold its text as a string, not as a list of parts.")
    limit = next((body[name] for name in LIMITS if isinstance(body.get(name), int)), None)
    rest = {name: value for name, value in body.items() if name not in OWN_FIELDS}
    return EditedRequest(
        str(body.get("model", "")), system_prompt, tuple(messages[:-1]), messages[-1].content, limit, rest
    )


def resend(
    chat: ChatService, session_id: str, edited: EditedRequest, settings: ChatSettings, open_provider: ProviderOpener
) -> str:
    """Send an edited request in a new session, and return the new session's id.

    `settings` are those of the session whose request it was. Everything is sent, whatever the strategy was, because
    that is what was typed. Raises ChatError; then nothing was sent.
    """
    store, new_id = chat.store, uuid.uuid4().hex
    title = f"Edited request of “{store.about(session_id).title or UNTITLED}”"
    chosen = replace(
        settings.in_window(settings.max_tokens, edited.reply_tokens or settings.reply_tokens),
        generation=OFF,  # what of it was typed is in the fields
        model=edited.model or settings.model,
        system_prompt=edited.system_prompt,
        strategy="none",
    )
    if edited.history:
        store.restore(new_id, Recording(title, edited.history, [], chosen.to_dict(), title))
    else:
        store.save_settings(new_id, chosen.to_dict())
        store.rename(new_id, title)
    shared = _shared(edited.history, store.load(session_id))
    store.set_parent(new_id, Parent(session_id, shared, "resend"))
    chat.send(new_id, edited.prompt, chosen, open_provider, fields=edited.fields)
    return new_id


def _shared(history: Sequence[Message], original: Sequence[Message]) -> int:
    """How many messages both begin with."""
    pairs = zip(history, original, strict=False)
    return next((at for at, (mine, theirs) in enumerate(pairs) if mine != theirs), min(len(history), len(original)))


def _message(number: int, stored: Any) -> Message:
    try:
        return Message.from_dict(stored)
    except ValueError as error:
        _refuse(f"Message {number}: {error}.")


def _split_system(system: Any, messages: list[Message]) -> tuple[str, list[Message]]:
    """The system prompt, from its own field or the first message, and the other messages."""
    if isinstance(system, list):
        system = "\n\n".join(str(part.get("text", "")) for part in system if isinstance(part, dict))
    if isinstance(system, str) and system:
        return system, messages
    if messages and messages[0].is_system and isinstance(messages[0].content, str):
        return messages[0].content, messages[1:]
    return "", messages


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number that JSON has")


def _refuse(what: str) -> NoReturn:
    raise ImportRefused(what, safe="Nothing was sent or stored.", next_step="Correct the request, then send it again.")
