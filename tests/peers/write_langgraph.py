"""Writes two threads with LangGraph's own Redis savers. Argument: the path of a server's socket."""

import sys
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.redis import RedisSaver
from langgraph.checkpoint.redis.shallow import ShallowRedisSaver
from langgraph.graph import END, START, MessagesState, StateGraph


def answer(state: MessagesState) -> dict[str, Any]:
    if len(state["messages"]) > 1:
        return {"messages": [AIMessage("You are welcome.")]}
    call = AIMessage("", tool_calls=[{"name": "weather", "args": {"city": "Lisbon"}, "id": "c1"}])
    return {"messages": [call, ToolMessage("sunny", tool_call_id="c1"), AIMessage("It is sunny.")]}


graph = StateGraph(MessagesState)
graph.add_node("answer", answer)
graph.add_edge(START, "answer")
graph.add_edge("answer", END)
for saver, thread in ((RedisSaver, "thread:1"), (ShallowRedisSaver, "shallow-1")):
    with saver.from_conn_string(f"unix://{sys.argv[1]}") as checkpoints:
        checkpoints.setup()
        app = graph.compile(checkpointer=checkpoints)
        for question in ("Is it sunny?", "Thank you"):
            app.invoke({"messages": [HumanMessage(question)]}, {"configurable": {"thread_id": thread}})
