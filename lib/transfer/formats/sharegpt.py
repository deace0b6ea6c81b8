"""Reads conversations in the form of ShareGPT, which collections for fine-tuning use.

The shape is `{"conversations": [{"from": "human", "value": "…"}, …]}`, as the documentation of axolotl and of
LLaMA-Factory describes it. Calls and results of tools are `function_call` and `observation`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lib.errors import ImportRefused
from lib.transfer import Conversation
from lib.transfer.formats.draft import Draft, fields, objects
from lib.transfer.json_scanner import parse

ROLES = {
    **dict.fromkeys(("human", "user", "prompter"), "user"),
    **dict.fromkeys(("gpt", "assistant", "chatgpt", "bing", "bard", "model", "function_call"), "assistant"),
    **dict.fromkeys(("tool", "observation", "function_response", "ipython"), "tool"),
    "system": "system",
}


def read(value: Mapping[str, Any], where: str) -> list[Conversation]:
    """The conversation of an object with `conversations`."""
    draft = Draft(where, value.get("title"), value.get("created_at"))
    if isinstance(value.get("system"), str) and value["system"]:
        draft.add({"role": "system", "content": value["system"]}, "system")
    if value.get("tools"):
        draft.lose("tools", "", "“tools” belongs to a request, not to a history")
    called = ""
    for place, each in objects(value.get("conversations")):
        at, said = f"conversations[{place}]", fields(each)
        sender, text = said.get("from"), said.get("value")
        role = ROLES.get(sender.lower()) if isinstance(sender, str) else None
        if role is None:
            draft.skip(at, sender, "its “from” is no speaker that is known")
        elif not isinstance(text, str):
            draft.skip(at, sender, "its “value” is no text")
        elif sender == "function_call" and (call := _call(text)) is not None:
            called = f"call_{place}"
            function = {"id": called, "type": "function", "function": call}
            draft.add({"role": "assistant", "content": None, "tool_calls": [function]}, at)
        elif role == "tool" and called:
            draft.add({"role": "tool", "content": text, "tool_call_id": called}, at)
            called = ""
        else:
            if role == "tool":
                draft.lose(at, sender, "the call that it answers; without one no request sends it")
            draft.add({"role": role, "content": text}, at)
    return [draft.done()]


def _call(text: str) -> dict[str, str] | None:
    """The function that is called, and its arguments as JSON; None if the text is no call."""
    try:
        call = fields(parse(text.encode(errors="replace")))
    except ImportRefused:
        return None
    if not isinstance(call.get("name"), str):
        return None
    arguments = call.get("arguments", {})
    written = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return {"name": call["name"], "arguments": written}
