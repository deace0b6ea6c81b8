"""Reads messages in Anthropic's form: the system prompt beside the messages, content as blocks.

The shape is that of the body of a request to /v1/messages, in the SDK `anthropic.types`. The blocks are stored exactly
as they are; the system prompt becomes the first message.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.transfer import Conversation
from lib.transfer.formats.draft import Draft, fields, objects

BLOCKS = {
    *("tool_use", "tool_result", "thinking", "redacted_thinking", "document", "server_tool_use", "search_result"),
    *("web_search_tool_result", "code_execution_tool_result", "mcp_tool_use", "mcp_tool_result", "container_upload"),
}
"""Kinds of blocks that only Anthropic has. Its text blocks look like OpenAI's."""


def is_block(part: Any) -> bool:
    """Whether this part of a content can only be Anthropic's."""
    kind = fields(part).get("type")
    return kind in BLOCKS if isinstance(kind, str) and kind != "image" else kind == "image" and "source" in part


def read(value: Mapping[str, Any], where: str) -> list[Conversation]:
    """The conversation of an object with `messages` and perhaps `system`."""
    draft = Draft(where, value.get("title") or value.get("name"), value.get("created_at"))
    system = value.get("system")
    if system:
        draft.add({"role": "system", "content": system}, "system")
    if value.get("tools"):
        draft.lose("tools", "", "“tools” belongs to a request, not to a history")
    for place, message in objects(value.get("messages")):
        draft.add(message if isinstance(message, dict) else {"role": None, "content": message}, f"messages[{place}]")
    return [draft.done()]
