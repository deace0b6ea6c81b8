"""The servers that every adapter must work against: one class each, with what it does and how it deviates.

To add one: subclass Served, say how to start it and which adapter speaks to it, and put it into SERVERS. What it does other
than it should is a value here and a sentence in `deviations`, so that the suite expects it by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal

from lib.messages import Message, assistant, user
from lib.providers.anthropic import AnthropicProvider
from lib.providers.llama.process import SLOT_TOKENS
from lib.providers.openai import OpenAIProvider
from lib.replica.model import Backend
from lib.replica.server import ReplicaServer
from lib.server_history import Approach, Handle, ServerHistory, ThreadSettings
from lib.server_history.factory import open_server_history
from lib.settings import Endpoint
from tests.support import peer_servers
from tests.support.claude_server import ClaudeServer
from tests.support.replica_models import Behind

SHORT = ThreadSettings(max_output_tokens=16, poll_seconds=0.05, deadline_seconds=60)


class Served:
    """A server under test. The values are what a server should do; those of a real one may differ."""

    name = ""
    approach: Approach = "responses"
    peer = True  # needs something that has to be installed
    settings = SHORT
    flat_upload = True
    reports_usage = True
    counts = True  # has a counting endpoint that knows its history
    exports = True
    proves_deletion = True
    unknown_id: Literal["raises", "replays", "starts afresh"] = "raises"
    after_deletion: Literal["raises", "starts afresh", "cannot be deleted"] = "raises"
    overflow: Literal["raises", "fails"] = "raises"
    streams_runs = True  # Assistants: stream=true is obeyed
    confirms_limits = True  # Assistants: truncation_strategy and max_prompt_tokens are echoed
    failed_turn_stays = False  # a message that was too long is still there in the next turn
    held: Literal["held", "cannot tell"] = "held"  # what the held-history check says, from usage alone
    truly: Literal["held", "trimmed"] = "held"  # what it says of what reached the model behind the server
    deviations: tuple[str, ...] = ()

    def __init__(self, address: peer_servers.Address, behind: Behind) -> None:
        self.address = address
        self.behind = behind

    @classmethod
    def start(cls, folder: Path, behind: Behind) -> AbstractContextManager[peer_servers.Address]:
        """Start it, with this model behind it."""
        raise NotImplementedError

    @property
    def endpoint(self) -> Endpoint:
        kind: Literal["openai", "anthropic"] = "anthropic" if self.approach == "claude" else "openai"
        return Endpoint("it", kind, "It", base_url=self.address.url, model="local")

    def history(self, settings: ThreadSettings | None = None) -> ServerHistory:
        """The adapter that speaks to it."""
        endpoint = self.endpoint
        adapter = AnthropicProvider if endpoint.kind == "anthropic" else OpenAIProvider
        provider = adapter(endpoint, self.address.key)
        return open_server_history(self.approach, endpoint, self.address.key, provider, settings or self.settings)

    def create(self, system_prompt: str) -> Handle:
        return self.history().create(system_prompt)

    def wrong(self, handle: Handle) -> Handle:
        """The handle with ids that nobody gave out, of the right shape."""
        return replace(handle, ids=tuple((kind, turned(id_)) for kind, id_ in handle.ids))

    def tokens(self, messages: list[Message]) -> int:
        """Our count of a request."""
        return self.behind.count([message.to_dict() for message in messages])


def turned(id_: str) -> str:
    """An id of the same shape that is another one."""
    return id_[:-12] + id_[-12:][::-1].swapcase()


class Manual(Served):
    """The control: llama.cpp, which keeps nothing."""

    name = "manual"
    approach: Approach = "manual"
    peer = False
    flat_upload = False
    proves_deletion = False
    after_deletion = "cannot be deleted"

    @classmethod
    @contextmanager
    def start(cls, folder: Path, behind: Behind) -> Iterator[peer_servers.Address]:
        yield peer_servers.Address(behind.url)

    def wrong(self, handle: Handle) -> Handle:
        return handle

    unknown_id = "replays"


class Agentserver(Served):
    """Microsoft's host of the Responses protocol: a chain."""

    name = "agentserver, chain"
    counts = False
    unknown_id = "starts afresh"
    after_deletion = "starts afresh"
    overflow = "fails"
    deviations = (
        "/responses/input_tokens answers 405: there is no count",
        "continuing from a deleted response answers 200 without the history; only the held-history check shows it",
        "an id of the right shape that it did not give out is accepted the same way; another shape is 400, not 404",
        "an overflow is a response with the status failed, not a refusal with 400",
    )

    @classmethod
    def start(cls, folder: Path, behind: Behind) -> AbstractContextManager[peer_servers.Address]:
        return peer_servers.agentserver(folder, behind.url)


class AgentserverConversation(Agentserver):
    """The same host: a conversation, which it holds under any id, and has no endpoint for."""

    name = "agentserver, conversation"
    approach: Approach = "conversations"
    exports = False
    proves_deletion = False
    after_deletion = "cannot be deleted"
    failed_turn_stays = True
    made = 0
    deviations = (
        *Agentserver.deviations,
        "/conversations answers 404: a conversation is made by naming it, and can be neither listed nor deleted",
        "any id is accepted, and is a new conversation",
        "a message that was too long stays in the conversation, so that every turn after it fails, too",
    )

    def create(self, system_prompt: str) -> Handle:
        AgentserverConversation.made += 1
        return Handle("conversations", "local", system_prompt, (("conversation", f"conv_named_here_{self.made:04}"),))


class Myla(Served):
    """Assistants threads."""

    name = "myla"
    approach: Approach = "assistants"
    settings = replace(SHORT, stream=False)
    reports_usage = False
    counts = False
    overflow = "fails"
    held = "cannot tell"
    truly = "trimmed"
    streams_runs = False
    confirms_limits = False
    deviations = (
        "the model is given the last seven messages of a thread only, and nothing says so",
        "a run has no usage: what it read is not reported",
        "stream=true in the body is ignored: it answers with the run, which is polled",
        "content[0].text is a list, and created_at is in milliseconds here and in seconds there",
        "truncation_strategy and max_prompt_tokens are ignored and not echoed",
    )

    @classmethod
    def start(cls, folder: Path, behind: Behind) -> AbstractContextManager[peer_servers.Address]:
        return peer_servers.myla(folder, behind.url)

    @property
    def endpoint(self) -> Endpoint:
        return replace(super().endpoint, model="openai@local")


class Claude(Served):
    """Message threads as the SDK's own helper expects them. No server that can be installed speaks them."""

    name = "claude threads, scripted"
    approach: Approach = "claude"
    peer = False
    counts = True
    proves_deletion = False
    unknown_id = "replays"
    after_deletion = "cannot be deleted"

    @classmethod
    @contextmanager
    def start(cls, folder: Path, behind: Behind) -> Iterator[peer_servers.Address]:
        with ClaudeServer() as server:
            yield peer_servers.Address(server.url, "key")

    def tokens(self, messages: list[Message]) -> int:
        return ClaudeServer.tokens([message.to_dict() for message in messages])


class Unthreaded(Claude):
    """The same, on a server that accepts `thread` and ignores it, as servers that copy Messages do."""

    name = "claude threads, ignored"
    counts = True

    @classmethod
    @contextmanager
    def start(cls, folder: Path, behind: Behind) -> Iterator[peer_servers.Address]:
        with ClaudeServer(ignores_threads=True) as server:
            yield peer_servers.Address(server.url, "key")


class Replica(Served):
    """Our own server: a chain. What it deviates in is named in lib/threads/replica."""

    name = "replica, chain"
    peer = False

    @classmethod
    @contextmanager
    def start(cls, folder: Path, behind: Behind) -> Iterator[peer_servers.Address]:
        with ReplicaServer(lambda: Backend(behind.url, "none", "local"), window=SLOT_TOKENS) as replica:
            yield peer_servers.Address(replica.url + cls.below, replica.key)

    below = "/v1"  # where its addresses begin, as the vendor's SDK takes it


class ReplicaConversation(Replica):
    """The same server: a conversation."""

    name = "replica, conversation"
    approach: Approach = "conversations"


class ReplicaThread(Replica):
    """The same server: Assistants threads, streamed."""

    name = "replica, thread"
    approach: Approach = "assistants"
    settings = replace(SHORT, max_output_tokens=256)  # it takes no smaller limit for a run, as OpenAI did not
    counts = False
    overflow = "fails"


class ReplicaPolledThread(ReplicaThread):
    """The same, polled."""

    name = "replica, polled thread"
    settings = replace(ReplicaThread.settings, stream=False)


class ReplicaClaude(Replica):
    """The same server: Claude's message threads."""

    name = "replica, claude thread"
    approach: Approach = "claude"
    below = ""
    proves_deletion = False
    unknown_id = "replays"
    after_deletion = "cannot be deleted"


SERVERS: list[type[Served]] = [
    Manual,
    Agentserver,
    AgentserverConversation,
    Myla,
    Claude,
    Replica,
    ReplicaConversation,
    ReplicaThread,
    ReplicaPolledThread,
    ReplicaClaude,
]

__all__ = ["SERVERS", "Served", "Unthreaded", "assistant", "user"]
