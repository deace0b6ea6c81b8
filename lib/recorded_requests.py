"""What a turn keeps of a request that an app of one's own sent through the recorder, beside its messages.

With the stored messages it is enough to write the request's body again. JSON elements are those of the body's list of
messages (`messages` or `input`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lib import outside_values
from lib.messages import Message

PATHS = ("/v1/chat/completions", "/v1/responses", "/v1/messages")
"""The addresses whose requests are recorded."""
STRATEGY = "your app"
"""What a recorded turn's plan has in place of a strategy: the app decided what to send."""
WRITINGS = ("compact", "compact ascii", "spaced", "spaced ascii", "")
"""How the app wrote its JSON, as lib/recorder/rebuild.py can repeat it. Empty: in another way."""


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """One recorded request. Indexes are those of stored messages."""

    path: str
    """One of PATHS."""
    url: str
    """Where it was sent. It holds no key."""
    status: int | None
    """The HTTP status of the answer; None if none came."""
    fields: tuple[str, ...]
    """The names of the body's fields, in its order."""
    first_new: int
    """Index of the first message that this request added to the history."""
    replies: int
    """How many messages of the answer were stored behind the newest message."""
    lead: tuple[Any, ...] = ()
    """The instructions that stood first among the messages, as elements; None for the system prompt as usual."""
    as_sent: Mapping[int, tuple[Any, ...] | None] = field(default_factory=dict)
    """The elements of a message where they are not the stored one, as JSON. They hold for later requests too, until
    another one says otherwise; None: from now on as stored."""
    changed: tuple[int, ...] = ()
    """Messages that the app wrote otherwise than before, so that the model read something else."""
    writing: str = ""
    """One of WRITINGS."""
    values_sha256: str = ""
    """SHA-256 of the body's values, however they were written."""
    response_id: str = ""
    """What the server called its answer."""
    parent: str = ""
    """The session whose beginning this one shares, if the app changed it in a way that one history cannot show."""
    parent_messages: int = 0

    def to_dict(self) -> dict[str, Any]:
        """As a turn stores it."""
        stored: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        stored["as_sent"] = {str(index): elements for index, elements in self.as_sent.items()}
        return stored

    @classmethod
    def from_dict(cls, stored: Any) -> RecordedRequest | None:
        """Read a stored one; None if it cannot be used as a whole."""
        if not isinstance(stored, Mapping) or stored.get("path") not in PATHS:
            return None
        counts = [outside_values.count(stored.get(name, 0)) for name in ("first_new", "replies", "parent_messages")]
        fields, changed, as_sent = _words(stored.get("fields")), _indexes(stored.get("changed")), _as_sent(stored)
        lead = stored.get("lead", [])
        if None in counts or fields is None or changed is None or as_sent is None or not isinstance(lead, list):
            return None
        first_new, replies, parent_messages = (count or 0 for count in counts)
        writing = stored.get("writing")
        return cls(
            path=stored["path"],
            url=_text(stored, "url"),
            status=outside_values.count(stored.get("status")),
            fields=fields,
            first_new=first_new,
            replies=replies,
            lead=tuple(lead),
            as_sent=as_sent,
            changed=changed,
            writing=writing if isinstance(writing, str) and writing in WRITINGS else "",
            values_sha256=_text(stored, "values_sha256"),
            response_id=_text(stored, "response_id"),
            parent=_text(stored, "parent"),
            parent_messages=parent_messages,
        )


def prompt_of(message: Message) -> str:
    """The text of a message for people: of parts, the texts. Pictures and the like are not in it.

    Example: content [{"type": "text", "text": "Look:"}, {"type": "image_url", ...}] -> "Look:\\n[image_url]"
    """
    if not isinstance(message.content, list):
        return message.text
    return "\n".join(_text_of_part(part) for part in message.content)


def _text_of_part(part: Any) -> str:
    if not isinstance(part, Mapping):
        return part if isinstance(part, str) else ""
    for name in ("text", "refusal", "thinking"):
        if isinstance(part.get(name), str):
            return str(part[name])
    if part.get("type") == "tool_result":
        content = part.get("content")
        return content if isinstance(content, str) else "\n".join(map(_text_of_part, content or ()))
    return f"[{outside_values.word(part.get('type')) or 'part'}]"


def _text(stored: Mapping[str, Any], name: str) -> str:
    return outside_values.word(stored.get(name)) or ""


def _words(value: Any) -> tuple[str, ...] | None:
    return tuple(value) if isinstance(value, list) and all(isinstance(each, str) for each in value) else None


def _indexes(value: Any) -> tuple[int, ...] | None:
    found = [outside_values.count(each) for each in value] if isinstance(value, list) else [None]
    return None if None in found else tuple(index for index in found if index is not None)


def _as_sent(stored: Mapping[str, Any]) -> dict[int, tuple[Any, ...] | None] | None:
    value = stored.get("as_sent", {})
    if not isinstance(value, Mapping):
        return None
    read: dict[int, tuple[Any, ...] | None] = {}
    for name, elements in value.items():
        if not (name.isascii() and name.isdigit()) or not (elements is None or isinstance(elements, list)):
            return None
        read[int(name[:15])] = None if elements is None else tuple(elements)
    return read
