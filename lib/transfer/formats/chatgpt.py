"""Reads an export of ChatGPT: each conversation is a tree of nodes, `mapping`, with `current_node` at its newest end.

OpenAI does not document the shape. It is described by those who read it: docs/import.md names the sources. What the
model was not shown as text (images, recordings) is only named in the export, so it is lost.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lib.transfer import Conversation
from lib.transfer.formats.draft import Draft, fields, objects
from lib.transfer.formats.tree import branch_name, branches

INSTRUCTIONS = ("user_editable_context", "model_editable_context")
"""What a person told ChatGPT about themselves, and what it remembers of them: sent with every request."""
THINKING = ("thoughts", "reasoning_recap")


def read(value: Mapping[str, Any], where: str) -> list[Conversation]:
    """The current branch of the conversation, then each other one as a conversation of its own."""
    nodes = {name: fields(node) for name, node in fields(value.get("mapping")).items()}
    parents = {name: parent if isinstance(parent := node.get("parent"), str) else None for name, node in nodes.items()}
    current = value.get("current_node")
    found = branches(parents, current if isinstance(current, str) else None)
    title, created = value.get("title"), value.get("create_time")
    if found.error:
        draft = Draft(where, title, created)
        draft.refuse(found.error, "mapping")
        return [draft.done()]
    conversations = []
    for place, path in enumerate(found.paths):
        draft = Draft(where, title, created, branch_name(place, len(found.paths) + found.more))
        if found.more and not place:
            draft.lose("mapping", "", f"{found.more:,} more branches, beyond the number that is offered")
        if found.broken in path and found.broken:
            draft.lose(f"mapping.{found.broken}", "", "what came before it: its parent is not in the export")
        reader = _Path(draft)
        for name in path:
            reader.add(name, fields(nodes[name].get("message")))
        conversations.append(draft.done())
    return conversations


class _Path:
    """Reads the messages of one branch, in order. A tool's result belongs to the call before it."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._called = ""

    def add(self, name: str, message: Mapping[str, Any]) -> None:
        """Add the message of a node. Nodes without one begin a tree."""
        if not message:
            return
        at, content = f"mapping.{name}", fields(message.get("content"))
        role = fields(message.get("author")).get("role")
        kind = content.get("content_type")
        if kind in THINKING:
            self._draft.skip(at, role, "thinking, which ChatGPT does not send again either")
            return
        text = self._text(at, role, content)
        if not text:
            if role == "system" or kind in ("text", "code", *INSTRUCTIONS):
                return  # empty texts begin and separate the parts of every conversation
            self._draft.skip(at, role, f"no text in it (content type {str(kind)[:40]})")
        elif kind in INSTRUCTIONS:
            self._draft.add({"role": "system", "content": text}, at)
        elif role == "assistant" and message.get("recipient") not in (None, "all"):
            self._call(name, str(message["recipient"]), text)
        elif role == "tool":
            self._result(at, text)
        else:
            self._called = ""
            self._draft.add({"role": role, "content": text}, at)

    def _call(self, name: str, recipient: str, text: str) -> None:
        self._called = name
        function = {"name": recipient, "arguments": json.dumps({"input": text}, ensure_ascii=False)}
        call = {"id": name, "type": "function", "function": function}
        self._draft.add({"role": "assistant", "content": None, "tool_calls": [call]}, f"mapping.{name}")

    def _result(self, at: str, text: str) -> None:
        if not self._called:
            self._draft.lose(at, "tool", "the call that it answers; without one no request sends it")
            self._draft.add({"role": "tool", "content": text}, at)
            return
        self._draft.add({"role": "tool", "content": text, "tool_call_id": self._called}, at)
        self._called = ""

    def _text(self, at: str, role: Any, content: Mapping[str, Any]) -> str:
        """The text of a content of any type. Notes what is lost."""
        texts: list[str] = []
        for _, part in objects(content.get("parts")):
            if isinstance(part, str):
                texts.append(part)
            elif isinstance(fields(part).get("text"), str):  # the words of a recording
                texts.append(part["text"])
            elif part is not None:
                kind = fields(part).get("content_type")
                self._draft.lose(at, role, f"{_named(kind)}: the export holds only a pointer to it")
        for name in ("text", "result", "content", "user_profile", "user_instructions", "model_set_context"):
            if isinstance(content.get(name), str):
                texts.append(content[name])
        return "\n".join(text for text in texts if text.strip())


def _named(kind: Any) -> str:
    words = {"image_asset_pointer": "an image", "audio_asset_pointer": "a recording"}
    return words.get(kind, f"a part of type {kind[:40]}") if isinstance(kind, str) else "a part without a type"
