"""Writes one session with openai-agents' own RedisSession. Argument: the path of a server's socket."""

import asyncio
import sys

import redis.asyncio
from agents.extensions.memory import RedisSession

ITEMS = [
    {"role": "user", "content": "Is it sunny in Lisbon and in Porto?"},
    {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": '{"city": "Lisbon"}', "id": "fc_1"},
    {"type": "function_call", "call_id": "c2", "name": "weather", "arguments": '{"city": "Porto"}', "id": "fc_2"},
    {"type": "function_call_output", "call_id": "c1", "output": "sunny"},
    {"type": "function_call_output", "call_id": "c2", "output": "rain"},
    {"type": "reasoning", "id": "rs_1", "summary": []},
    {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": "Only in Lisbon.", "annotations": []}],
    },
    {
        "role": "user",
        "content": [
            {"type": "input_text", "text": "And here?"},
            {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "low"},
        ],
    },
]


async def main(socket: str) -> None:
    client = redis.asyncio.Redis(unix_socket_path=socket)
    session = RedisSession("user:42", redis_client=client, ttl=3_600)
    await session.add_items(ITEMS)
    await session.close()
    await client.aclose()


asyncio.run(main(sys.argv[1]))
