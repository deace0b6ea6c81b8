"""Conversations of other libraries, written by hand in the shapes that the libraries write themselves in
tests/history/foreign/test_real_libraries.py. For servers on which they cannot write."""

from __future__ import annotations

import json
from typing import Any

AGENTS = b"agents:session:user-42:messages"
REDISVL = b"support:s-7"
ARRAY = b"conv:1"
LONG_ARRAY = b"conv:" + b"x" * 200
"""A key that is too long to be part of an id."""
AGENTS_ITEMS = (
    {"role": "user", "content": "Is it sunny?"},
    {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c1", "output": "sunny"},
    {"role": "assistant", "content": [{"type": "output_text", "text": "Yes.", "annotations": []}]},
)
MESSAGES = ({"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"})


def write(client: Any) -> None:
    """A session of openai-agents, one of RedisVL and two arrays, and keys of nobody's conversation. Some expire."""
    client.rpush(AGENTS, *map(json.dumps, AGENTS_ITEMS))
    client.hset(
        AGENTS.removesuffix(b":messages"), mapping={"session_id": "user-42", "created_at": 1_000, "updated_at": 2_000}
    )
    client.expire(AGENTS, 3_600)
    for place, (role, content) in enumerate((("user", "Hello"), ("llm", "Hi"))):
        entry = f"s-7:{1_795_710_296 + place}.25:0000000{place}"
        fields = {"entry_id": entry, "role": role, "content": content, "session_tag": "s-7", "timestamp": f"{place}.25"}
        client.hset(f"support:{entry}", mapping=fields)
    client.set(ARRAY, json.dumps(MESSAGES), ex=500)
    client.set(LONG_ARRAY, json.dumps(MESSAGES))
    client.set("password:1", "4711")
    client.hset("user:1", mapping={"name": "Ada"})
