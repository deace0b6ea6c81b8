"""Reads an export of Claude: conversations with `chat_messages`, each with blocks of content and a parent.

Anthropic does not document the shape. It is described by those who read it: docs/import.md names the sources. Text and
the text of attachments come in, and tools where their ids are exported; files and thinking do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.transfer import Conversation
from lib.transfer.formats.draft import Draft, fields, objects, text_of
from lib.transfer.formats.tree import Branches, branch_name, branches

ROLES = {"human": "user", "user": "user", "assistant": "assistant", "system": "system"}


def read(value: Mapping[str, Any], where: str) -> list[Conversation]:
    """The current branch of the conversation, then each other one as a conversation of its own."""
    messages = [fields(message) for _, message in objects(value.get("chat_messages"))]
    found = _branches(messages, value.get("current_leaf_message_uuid"))
    title, created = value.get("name") or value.get("title"), value.get("created_at")
    if found.error:
        draft = Draft(where, title, created)
        draft.refuse(found.error, "chat_messages")
        return [draft.done()]
    conversations = []
    for place, path in enumerate(found.paths):
        draft = Draft(where, title, created, branch_name(place, len(found.paths) + found.more))
        if found.more and not place:
            draft.lose("chat_messages", "", f"{found.more:,} more branches, beyond the number that is offered")
        for index in map(int, path):
            _add(draft, messages[index], f"chat_messages[{index}]")
        conversations.append(draft.done())
    return conversations


def _branches(messages: list[Mapping[str, Any]], current: Any) -> Branches:
    """Branches whose ids are the places of the messages. Without links between them the messages are one branch."""
    places = {message["uuid"]: str(at) for at, message in enumerate(messages) if isinstance(message.get("uuid"), str)}
    links = [message.get("parent_message_uuid") for message in messages]
    known = [places.get(link) if isinstance(link, str) else None for link in links]
    if not any(known):
        return Branches((tuple(map(str, range(len(messages)))),)) if messages else Branches(error="it has no messages")
    return branches(dict(zip(map(str, range(len(messages))), known, strict=True)), places.get(str(current)))


def _add(draft: Draft, message: Mapping[str, Any], at: str) -> None:
    """Add one message. What a tool returned inside a reply becomes a message of its own, as Anthropic's API has it."""
    sender = message.get("sender")
    role = ROLES.get(sender) if isinstance(sender, str) else None
    if role is None:
        draft.skip(at, sender, "its sender is no speaker that is known")
        return
    for _, file in objects(message.get("files")):
        draft.lose(at, role, f"a file ({str(fields(file).get('file_name'))[:60]}): it is not in the export")
    blocks = _blocks(draft, message, at, role)
    texts = [_attached(fields(each)) for _, each in objects(message.get("attachments"))]
    blocks += [{"type": "text", "text": text} for text in texts if text]
    if not blocks:
        draft.skip(at, role, "no text in it")
    for speaker, group in _by_speaker(role, blocks):
        only_text = len(group) == 1 and group[0]["type"] == "text"
        draft.add({"role": speaker, "content": group[0]["text"] if only_text else group}, at)


def _attached(attachment: Mapping[str, Any]) -> str:
    """The text that Claude read from an attachment, under its name."""
    text = attachment.get("extracted_content")
    return f"{attachment.get('file_name') or 'attachment'}:\n{text}" if isinstance(text, str) and text else ""


def _blocks(draft: Draft, message: Mapping[str, Any], at: str, role: str) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    exported = objects(message.get("content")) or [(0, {"type": "text", "text": message.get("text")})]
    for place, part in exported:
        block = fields(part)
        kind, where = block.get("type"), f"{at}.content[{place}]"
        if kind == "text" and isinstance(block.get("text"), str):
            blocks += [{"type": "text", "text": block["text"]}] if block["text"] else []
        elif kind == "tool_use" and isinstance(block.get("id"), str):
            blocks.append({name: block.get(name) for name in ("type", "id", "name", "input")})
        elif kind == "tool_result" and isinstance(block.get("tool_use_id"), str):
            text = text_of(block.get("content"))
            blocks.append({"type": kind, "tool_use_id": block["tool_use_id"], "content": text})
        elif kind in ("thinking", "redacted_thinking"):
            draft.lose(where, role, "thinking: without its signature no server accepts it")
        elif kind in ("tool_use", "tool_result"):
            draft.lose(where, role, f"{kind} ({str(block.get('name'))[:40]}): it has no id that links call and result")
        elif block.get("text"):
            draft.lose(where, role, f"a part of type {str(kind)[:40]}")
    return blocks


def _by_speaker(role: str, blocks: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Runs of blocks that the same side sends: results come from the user's side."""
    runs: list[tuple[str, list[dict[str, Any]]]] = []
    for block in blocks:
        speaker = "user" if block["type"] == "tool_result" else role
        if not runs or runs[-1][0] != speaker:
            runs.append((speaker, []))
        runs[-1][1].append(block)
    return runs
