"""Messages with reasoning, tools and images, in the forms of every vendor, and images to put into them."""

from __future__ import annotations

import base64
import io
from typing import Any

from PIL import Image

from lib.messages import Message


def picture(width: int = 64, height: int = 48, kind: str = "PNG") -> str:
    """An image of this size as base64."""
    written = io.BytesIO()
    Image.new("RGB", (width, height), (200, 60, 30)).save(written, kind)
    return base64.b64encode(written.getvalue()).decode()


def with_sealed(blob: str) -> list[Message]:
    """Messages in which `blob` stands everywhere where a vendor puts what is no text."""
    data = f"data:image/png;base64,{blob}"
    source = {"type": "base64", "media_type": "image/png", "data": blob}
    anthropic: list[Any] = [
        {"type": "thinking", "thinking": "Hm.", "signature": blob},
        {"type": "redacted_thinking", "data": blob},
        {"type": "image", "source": source},
        {"type": "document", "source": {**source, "media_type": "application/pdf"}},
        {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "image", "source": source}]},
        {
            "type": "web_search_tool_result",
            "tool_use_id": "t",
            "content": [{"type": "web_search_result", "encrypted_content": blob}],
        },
        {"type": "compaction", "content": None, "encrypted_content": blob, "signature": blob},
    ]
    openai: list[Any] = [
        {"type": "image_url", "image_url": {"url": data}},
        {"type": "input_image", "image_url": data},
        {"type": "input_audio", "input_audio": {"data": blob, "format": "wav"}},
        {"type": "file", "file": {"file_data": data}},
        {"type": "reasoning", "summary": [], "encrypted_content": blob},
        {"type": "image_generation_call", "result": blob},
    ]
    details = [{"type": "reasoning.encrypted", "data": blob}]
    return [
        Message("assistant", anthropic),
        Message("user", openai),
        Message("assistant", "Yes.", {"reasoning_details": details, "signature": blob}),
        Message("tool", [{"type": "image_url", "image_url": {"url": data}}], {"tool_call_id": "t"}),
        Message("function_call_output", [{"type": "function_call_output", "output": [openai[1]]}]),
    ]
