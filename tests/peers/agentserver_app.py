"""Microsoft's host of the Responses protocol, with an OpenAI-compatible server as its model. Run in an environment of
its own.

The protocol, the ids and the store are the package's; ours is only the handler below. LLM names the model's base URL,
PORT where to listen. It keeps what it stores under HOME.
"""

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


def said(item: Any) -> dict[str, str]:
    """An item of the history as a chat message."""
    fields = item if isinstance(item, dict) else item.as_dict()
    content = fields.get("content")
    text = content if isinstance(content, str) else "".join(part.get("text", "") for part in content or [])
    return {"role": fields.get("role", "assistant"), "content": text}


@app.response_handler  # type: ignore[untyped-decorator]  # the package is not installed where mypy runs
async def answer(request: CreateResponse, context: ResponseContext, cancel: asyncio.Event) -> AsyncIterator[Any]:
    """One reply: the history the host held, and the new message."""
    instructions = request.get("instructions")
    messages = [{"role": "system", "content": instructions}] if instructions else []
    messages += [message for item in await context.get_history() if (message := said(item))["content"]]
    messages.append({"role": "user", "content": await context.get_input_text()})
    stream = ResponseEventStream(response_id=context.response_id, request=request)
    yield stream.emit_created()
    yield stream.emit_in_progress()
    url = f"{os.environ['LLM']}/chat/completions"
    async with aiohttp.ClientSession() as session, session.post(url, json={"messages": messages}) as response:
        status, said_back = response.status, await response.json()
    if status != 200:
        yield stream.emit_failed(code="server_error", message=str(said_back["error"]["message"]))
        return
    for event in stream.output_item_message(said_back["choices"][0]["message"]["content"]):
        yield event
    usage = said_back["usage"]
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
