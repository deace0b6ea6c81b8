"""Reads an export of Open WebUI: a tree of messages in `history`, or their list in `messages`.

Open WebUI documents the shape on its page "Import & Export". A chat may stand alone or inside an object with its id and
its title.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.transfer import Conversation
from lib.transfer.formats.draft import Draft, fields, objects
from lib.transfer.formats.tree import Branches, branch_name, branches

IMAGE_ADDRESSES = ("data:image/", "https://")
"""Images that a message can hold: in the message itself, or on a public server."""


def read(value: Mapping[str, Any], where: str) -> list[Conversation]:
    """The current branch of the chat, then each other one as a conversation of its own."""
    chat = fields(value.get("chat")) or value
    history = fields(chat.get("history"))
    nodes = {name: fields(node) for name, node in fields(history.get("messages")).items()}
    inside = "history.messages."
    if nodes:
        parents = {name: node.get("parentId") for name, node in nodes.items()}
        links = {name: parent if isinstance(parent, str) else None for name, parent in parents.items()}
        current = history.get("currentId")
        found = branches(links, current if isinstance(current, str) else None)
    else:
        nodes = {str(place): fields(node) for place, node in objects(chat.get("messages"))}
        inside, found = "messages.", Branches((tuple(nodes),))
    title = value.get("title") or chat.get("title")
    created = value.get("created_at") or chat.get("timestamp")
    conversations = []
    for place, path in enumerate(found.paths or ((),)):
        draft = Draft(where, title, created, branch_name(place, len(found.paths) + found.more))
        if found.error:
            draft.refuse(found.error, inside.strip("."))
        if found.more and not place:
            draft.lose(inside.strip("."), "", f"{found.more:,} more branches, beyond the number that is offered")
        system = chat.get("system") or fields(chat.get("params")).get("system")
        if isinstance(system, str) and system and path:
            draft.add({"role": "system", "content": system}, "params.system")
        for name in path:
            _add(draft, nodes[name], inside + name)
        conversations.append(draft.done())
    return conversations


def _add(draft: Draft, node: Mapping[str, Any], at: str) -> None:
    role, content = node.get("role"), node.get("content")
    images: list[dict[str, Any]] = []
    for _, each in objects(node.get("files")):
        file = fields(each)
        address = file.get("url")
        if file.get("type") == "image" and isinstance(address, str) and address.startswith(IMAGE_ADDRESSES):
            images.append({"type": "image_url", "image_url": {"url": address}})
        else:
            name = file.get("name") or file.get("type")
            draft.lose(at, role, f"a file ({str(name)[:60]}): it is not in the export")
    if isinstance(node.get("error"), Mapping) and not content:
        draft.skip(at, role, "an error instead of a reply")
        return
    if images and isinstance(content, str):
        content = [{"type": "text", "text": content}, *images]
    draft.add({"role": role, "content": content}, at)
