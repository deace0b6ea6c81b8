"""Conversations that are hard to count, and counters of the real llama.cpp server to count them with."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from lib.messages import Message, user
from lib.providers.llama.counter import LearnedModel, LlamaCounter
from lib.providers.llama.process import ChildAddress, LocalModel, LocalProvider, packaged_model
from lib.providers.openai import OpenAIProvider
from lib.settings import Endpoint
from tests.support.cases.conversations import histories

ROOT = Path(__file__).parents[3]

fragments = [
    "<|im_start|>",
    "<|im_end|>",
    "<|im_start",
    "|im_end|>",
    "<|endoftext|>",
    "<think>\n",
    "</think>",
    "\n",
    "  ",
    "\t",
    "😀",
    "\ud83d",
    "\ude00",
    "日本語",
    "Ünïcode",
    "שלום",
    "a\u0301",
    "\x00",
    "{{ x }}",
    "x" * 300,
    "hello ",
]
texts = st.lists(st.sampled_from(fragments) | st.text(max_size=8), max_size=6).map("".join)
text_messages = st.builds(
    Message, st.sampled_from(["system", "developer", "user", "assistant", "tool", "critic"]), texts
)
part_messages = st.builds(
    Message,
    st.sampled_from(["user", "assistant"]),
    st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": texts}), max_size=3),
)


def is_accepted(message: Message) -> bool:
    """This server refuses calls and results without an id, and content that only Anthropic's endpoint knows."""
    known = isinstance(message.content, str | None) or all(part["type"] == "text" for part in message.content)
    calls = message.extra.get("tool_calls", ())
    return known and message.extra.get("tool_call_id", "") is not None and all(call["id"] is not None for call in calls)


accepted = histories().map(lambda history: [message for message in history if is_accepted(message)])
conversations = st.builds(
    lambda history, prompt: [*history, user(prompt)],
    st.lists(text_messages | part_messages, max_size=6) | accepted,
    texts,
)


def sum_of_sizes(counter: LlamaCounter, conversation: Sequence[Message]) -> int:
    return sum(counter.count_many(conversation)) + counter.template(conversation[0].is_system)


def counter_of(model: LocalModel) -> LlamaCounter:
    counter = LocalProvider(model).counter()
    assert isinstance(counter, LlamaCounter)
    return counter


def recording_counter(counter: LlamaCounter, model: LocalModel) -> tuple[LlamaCounter, list[str]]:
    """A counter that has learned the same and counted nothing yet, and the addresses it asks."""
    asked: list[str] = []
    server = configured_endpoint(model.ensure())

    def ask(path: str, body: Mapping[str, Any] | None) -> Any:
        asked.append(path)
        return server.ask_root(path, body)

    return LlamaCounter(ask, "it", LearnedModel(counter.learned.model, counter.learned.template)), asked


def configured_endpoint(address: ChildAddress, key: str | None = None) -> OpenAIProvider:
    """The same server as a configured endpoint."""
    key = key or address.key
    return OpenAIProvider(Endpoint("mine", "openai", "Mine", base_url=f"{address.url}/v1", key=address.key), key)


SERVE = """
import json, os, sys
import xllamacpp
from lib.providers.llama.child import configure
config = json.loads(sys.stdin.readline())
parameters = configure(xllamacpp.CommonParams(), config)
parameters.chat_template, parameters.use_jinja = config["template"], True
server = xllamacpp.Server(parameters)
print(json.dumps(server.listening_address), flush=True)
sys.stdin.read()
os._exit(0)
"""


@contextmanager
def server_with_template(template: str) -> Iterator[OpenAIProvider]:
    """A real server with another chat template."""
    config = {
        "model": str(packaged_model()),
        "name": "other",
        "key": "key",
        "slots": 1,
        "slot_tokens": 512,
        "threads": 1,
    }
    with subprocess.Popen(
        [sys.executable, "-c", SERVE],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(json.dumps({**config, "template": template}) + "\n")
        child.stdin.flush()
        yield configured_endpoint(ChildAddress(json.loads(child.stdout.readline()), "key"))
        child.stdin.close()
