"""Runs Microsoft's host of the Responses protocol, with an OpenAI-compatible server as its model.

It runs in its own environment. Protocol, ids and store are the package's; only the handler below is ours. LLM is the
model's base URL, PORT the port to listen on. The host stores its data under HOME.
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"
# aiohttp and azure are installed only in the environment that tests/peers/install.sh makes

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from azure.ai.agentserver.responses import (
    CreateResponse,
    ResponseContext,
    ResponseEventStream,
    ResponsesAgentServerHost,
)

app = ResponsesAgentServerHost()


def chat_message(item: Any) -> dict[str, str]:
    """Turn an item of the history into a chat message."""
    fields = item if isinstance(item, dict) else item.as_dict()
    content = fields.get("content")
    text = content if isinstance(content, str) else "".join(part.get("text", "") for part in content or [])
    return {"role": fields.get("role", "assistant"), "content": text}


@app.response_handler
async def answer(request: CreateResponse, context: ResponseContext, cancel: asyncio.Event) -> AsyncIterator[Any]:
    """Answer the new message, with the history the host holds."""
    instructions = request.get("instructions")
    messages = [{"role": "system", "content": instructions}] if instructions else []
    messages += [message for item in await context.get_history() if (message := chat_message(item))["content"]]
    messages.append({"role": "user", "content": await context.get_input_text()})
    stream = ResponseEventStream(response_id=context.response_id, request=request)
    yield stream.emit_created()
    yield stream.emit_in_progress()
    url = f"{os.environ['LLM']}/chat/completions"
    async with aiohttp.ClientSession() as session, session.post(url, json={"messages": messages}) as response:
        status, completion = response.status, await response.json()
    if status != 200:
        yield stream.emit_failed(code="server_error", message=str(completion["error"]["message"]))
        return
    for event in stream.output_item_message(completion["choices"][0]["message"]["content"]):
        yield event
    usage = completion["usage"]
    yield stream.emit_completed(
        usage={
            "input_tokens": usage["prompt_tokens"],
            "output_tokens": usage["completion_tokens"],
            "total_tokens": usage["total_tokens"],
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 0},
        }
    )


app.run(host="127.0.0.1", port=int(os.environ["PORT"]))
