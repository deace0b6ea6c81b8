"""Writes one history with langchain-redis' own RedisChatMessageHistory. Argument: the path of a server's socket."""

import sys

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_redis import RedisChatMessageHistory

CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Lisbon"}'}}

history = RedisChatMessageHistory("support:7", redis_url=f"unix://{sys.argv[1]}", ttl=3_600)
history.add_messages(
    [
        SystemMessage("Be brief."),
        HumanMessage([{"type": "text", "text": "Is it sunny?"}]),
        AIMessage("", additional_kwargs={"tool_calls": [CALL]}),
        ToolMessage("sunny", tool_call_id="c1"),
        AIMessage("Yes."),
    ]
)
