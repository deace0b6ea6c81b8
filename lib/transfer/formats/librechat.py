"""Reads an export of LibreChat: one conversation, with its messages as a list or nested in each other.

The shape is what LibreChat's own export writes (client/src/hooks/Conversations/useExportConversation.ts): `messages`
with `parentMessageId`, or `messagesTree` with `children`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lib.transfer import Conversation
from lib.transfer.formats.draft import Draft, fields, objects
from lib.transfer.formats.tree import branch_name, branches


def read(value: Mapping[str, Any], where: str) -> list[Conversation]:
    """The current branch of the conversation, then each other one as a conversation of its own."""
    nodes, parents, places = _flat(value.get("messagesTree") or value.get("messages"))
    found = branches(parents, None)
    options = fields(value.get("options"))
    created = next((node["createdAt"] for node in nodes.values() if node.get("createdAt")), None)
    conversations = []
    for place, path in enumerate(found.paths or ((),)):
        draft = Draft(where, value.get("title"), created, branch_name(place, len(found.paths) + found.more))
        if found.error:
            draft.refuse(found.error, "messages")
        if found.more and not place:
            draft.lose("messages", "", f"{found.more:,} more branches, beyond the number that is offered")
        system = options.get("system") or options.get("promptPrefix")
        if isinstance(system, str) and system and path:
            draft.add({"role": "system", "content": system}, "options")
        for name in path:
            _add(draft, nodes[name], places[name])
        conversations.append(draft.done())
    return conversations


def _flat(messages: Any) -> tuple[dict[str, Mapping[str, Any]], dict[str, str | None], dict[str, str]]:
    """Messages, parents and places by id, whether they are nested or not."""
    nodes: dict[str, Mapping[str, Any]] = {}
    parents: dict[str, str | None] = {}
    places: dict[str, str] = {}
    waiting: list[tuple[Any, str | None, str]] = [(each, None, f"messages[{at}]") for at, each in objects(messages)]
    for each, above, place in waiting:  # the list grows while it is read
        node = fields(each)
        name = node.get("messageId")
        name = name if isinstance(name, str) and name not in nodes else place
        link = node.get("parentMessageId")
        nodes[name], places[name] = node, place
        parents[name] = above or (link if isinstance(link, str) else None)
        inner = objects(node.get("children"))
        waiting += [(child, name, f"message {len(waiting) + at + 1}") for at, child in inner]
    known = {name: parent if parent in nodes else None for name, parent in parents.items()}
    if not any(known.values()) and len(nodes) > 1:  # nothing links them, so they follow each other
        known = dict(zip(nodes, [None, *nodes], strict=False))
    return nodes, known, places


def _add(draft: Draft, node: Mapping[str, Any], at: str) -> None:
    mine = node.get("isCreatedByUser")
    if not isinstance(mine, bool):
        mine = str(node.get("sender")).lower() == "user"
    role = "user" if mine else "assistant"
    for _, file in [*objects(node.get("files")), *objects(node.get("attachments"))]:
        name = fields(file).get("filename")
        draft.lose(at, role, f"a file ({str(name)[:60]}): it is not in the export")
    if node.get("error") is True:
        draft.skip(at, role, "an error instead of a reply")
    elif isinstance(node.get("content"), list) and node["content"]:
        _parts(draft, node["content"], role, at)
    elif isinstance(node.get("text"), str) and node["text"]:
        draft.add({"role": role, "content": node["text"]}, at)
    else:
        draft.skip(at, role, "no text in it")


def _parts(draft: Draft, parts: list[Any], role: str, at: str) -> None:
    """A reply in parts: text, thinking, and calls of tools with their results inside."""
    texts: list[str] = []
    for place, each in objects(parts):
        part = fields(each)
        kind = part.get("type")
        if kind == "text":
            text = part.get("text")
            text = fields(text).get("value") if isinstance(text, Mapping) else text
            texts += [text] if isinstance(text, str) and text else []
        elif kind == "tool_call" and isinstance(fields(part.get("tool_call")).get("name"), str):
            call = fields(part["tool_call"])
            _call(draft, call, "\n\n".join(texts), at)
            texts = []
        elif kind == "think":
            draft.lose(f"{at}.content[{place}]", role, "thinking, which is not sent again")
        elif part:
            draft.lose(f"{at}.content[{place}]", role, f"a part of type {str(kind)[:40]}")
    if texts:
        draft.add({"role": role, "content": "\n\n".join(texts)}, at)


def _call(draft: Draft, call: Mapping[str, Any], text: str, at: str) -> None:
    """A call with the text before it, and its result as the next message."""
    arguments = call.get("args")
    written = arguments if isinstance(arguments, str) else json.dumps(arguments or {}, ensure_ascii=False)
    name = call["id"] if isinstance(call.get("id"), str) and call["id"] else f"call_{len(draft.messages)}"
    made = {"id": name, "type": "function", "function": {"name": call["name"], "arguments": written}}
    draft.add({"role": "assistant", "content": text or None, "tool_calls": [made]}, at)
    if isinstance(call.get("output"), str):
        draft.add({"role": "tool", "content": call["output"], "tool_call_id": name}, at)
