"""The servers that the adapters must work with: one class each, with what it does and how it deviates.

To add a server, subclass ServerUnderTest, say how to start it and which approach it speaks, and add it to SERVERS.
Every deviation is a value here and a sentence in `deviations`, so that the tests expect it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal

from lib.messages import Message
from lib.providers.anthropic import AnthropicProvider
from lib.providers.llama.process import SLOT_TOKENS
from lib.providers.openai import OpenAIProvider
from lib.replica.model import Backend
from lib.replica.server import ReplicaServer
from lib.server_history import Approach, Handle, ServerHistory, ThreadSettings
from lib.server_history.factory import open_server_history
from lib.settings import Endpoint
from tests.support.server_history.replica_models import RecordingModel
from tests.support.servers import peer_servers
from tests.support.servers.claude_server import ClaudeServer
from tests.support.servers.peer_servers import Address

SHORT_REPLIES = ThreadSettings(max_output_tokens=16, poll_seconds=0.05, deadline_seconds=60)

UnknownId = Literal["raises", "replays", "starts afresh"]
AfterDeletion = Literal["raises", "starts afresh", "cannot be deleted"]
OverflowResult = Literal["raises", "fails"]


class ServerUnderTest:
    """Base of the servers. The values here are what a server should do; a real one may differ."""

    name = ""
    approach: Approach = "responses"
    is_peer = True  # has to be installed
    settings = SHORT_REPLIES
    upload_is_constant = True  # a turn uploads the new message only
    reports_usage = True
    counts = True  # has a counting endpoint that includes its history
    exports = True
    proves_deletion = True
    unknown_id: UnknownId = "raises"
    after_deletion: AfterDeletion = "raises"
    overflow: OverflowResult = "raises"
    streams_runs = True  # Assistants: obeys stream=true
    confirms_limits = True  # Assistants: echoes truncation_strategy and max_prompt_tokens
    failed_turn_stays = False  # a message that was too long is still there in the next turn
    verdict: Literal["held", "cannot tell"] = "held"  # of the retention check, from the usage it reports
    true_verdict: Literal["held", "trimmed"] = "held"  # the same, from the tokens its model really read
    deviations: tuple[str, ...] = ()

    def __init__(self, address: Address, model: RecordingModel) -> None:
        self.address = address
        self.model = model

    @classmethod
    def start(cls, folder: Path, model: RecordingModel) -> AbstractContextManager[Address]:
        """Start it with this model behind it."""
        raise NotImplementedError

    @property
    def endpoint(self) -> Endpoint:
        kind: Literal["openai", "anthropic"] = "anthropic" if self.approach == "claude" else "openai"
        return Endpoint("it", kind, "It", base_url=self.address.url, model="local")

    def history(self, settings: ThreadSettings | None = None) -> ServerHistory:
        """The adapter for it."""
        endpoint = self.endpoint
        provider_class = AnthropicProvider if endpoint.kind == "anthropic" else OpenAIProvider
        provider = provider_class(endpoint, self.address.key)
        return open_server_history(self.approach, endpoint, self.address.key, provider, settings or self.settings)

    def create(self, system_prompt: str) -> Handle:
        """Start a conversation on it."""
        return self.history().create(system_prompt)

    def with_unknown_ids(self, handle: Handle) -> Handle:
        """The handle with ids of the right shape that the server never gave out."""
        return replace(handle, ids=tuple((kind, unknown_id(id_)) for kind, id_ in handle.ids))

    def tokens(self, messages: list[Message]) -> int:
        """Our count of a request."""
        return self.model.count([message.to_dict() for message in messages])


def unknown_id(id_: str) -> str:
    """Another id of the same shape."""
    return id_[:-12] + id_[-12:][::-1].swapcase()


class Manual(ServerUnderTest):
    """The manual approach on llama.cpp, which keeps nothing."""

    name = "manual"
    approach: Approach = "manual"
    is_peer = False
    upload_is_constant = False
    proves_deletion = False
    unknown_id: UnknownId = "replays"
    after_deletion: AfterDeletion = "cannot be deleted"

    @classmethod
    @contextmanager
    def start(cls, folder: Path, model: RecordingModel) -> Iterator[Address]:
        yield Address(model.url)

    def with_unknown_ids(self, handle: Handle) -> Handle:
        return handle


class Agentserver(ServerUnderTest):
    """Microsoft's host of the Responses protocol: a chain."""

    name = "agentserver, chain"
    counts = False
    unknown_id: UnknownId = "starts afresh"
    after_deletion: AfterDeletion = "starts afresh"
    overflow: OverflowResult = "fails"
    deviations: tuple[str, ...] = (
        "/responses/input_tokens answers 405: it cannot count",
        "continuing from a deleted response answers 200 without the history; only the retention check shows it",
        "an id of the right shape that it did not give out is accepted the same way; another shape is 400, not 404",
        "an overflow is a response with the status failed, not an error with 400",
    )

    @classmethod
    def start(cls, folder: Path, model: RecordingModel) -> AbstractContextManager[Address]:
        return peer_servers.agentserver(folder, model.url)


class AgentserverConversation(Agentserver):
    """The same host: a conversation, which it holds under any id, and has no endpoint for."""

    name = "agentserver, conversation"
    approach: Approach = "conversations"
    exports = False
    proves_deletion = False
    after_deletion: AfterDeletion = "cannot be deleted"
    failed_turn_stays = True
    created = 0
    deviations = (
        *Agentserver.deviations,
        "/conversations answers 404: naming a conversation creates it, and it can be neither listed nor deleted",
        "any id is accepted, and is a new conversation",
        "a message that was too long stays in the conversation, so that every later turn fails too",
    )

    def create(self, system_prompt: str) -> Handle:
        AgentserverConversation.created += 1
        id_ = f"conv_named_here_{self.created:04}"
        return Handle("conversations", "local", system_prompt, (("conversation", id_),))


class Myla(ServerUnderTest):
    """Assistants threads."""

    name = "myla"
    approach: Approach = "assistants"
    settings = replace(SHORT_REPLIES, stream=False)
    reports_usage = False
    counts = False
    overflow: OverflowResult = "fails"
    verdict = "cannot tell"
    true_verdict = "trimmed"
    streams_runs = False
    confirms_limits = False
    deviations = (
        "the model is given only the last seven messages of a thread, and nothing says so",
        "a run has no usage: what it read is not reported",
        "stream=true in the body is ignored: it answers with the run, which is polled",
        "content[0].text is a list, and created_at is in milliseconds in some objects and in seconds in others",
        "truncation_strategy and max_prompt_tokens are ignored and not echoed",
    )

    @classmethod
    def start(cls, folder: Path, model: RecordingModel) -> AbstractContextManager[Address]:
        return peer_servers.myla(folder, model.url)

    @property
    def endpoint(self) -> Endpoint:
        return replace(super().endpoint, model="openai@local")


class Claude(ServerUnderTest):
    """Message threads as the SDK's own helper expects them, on a scripted server: none that can be installed has
    them."""

    name = "claude threads, scripted"
    approach: Approach = "claude"
    is_peer = False
    proves_deletion = False
    unknown_id: UnknownId = "replays"
    after_deletion: AfterDeletion = "cannot be deleted"
    ignores_threads = False

    @classmethod
    @contextmanager
    def start(cls, folder: Path, model: RecordingModel) -> Iterator[Address]:
        with ClaudeServer(ignores_threads=cls.ignores_threads) as server:
            yield Address(server.url, "key")

    def tokens(self, messages: list[Message]) -> int:
        return ClaudeServer.tokens([message.to_dict() for message in messages])


class ClaudeWithoutThreads(Claude):
    """The same, on a server that accepts `thread` and ignores it, as servers that copy Messages do."""

    name = "claude threads, ignored"
    ignores_threads = True


class ReplicaChain(ServerUnderTest):
    """Our own server: a chain of responses."""

    name = "replica, chain"
    is_peer = False
    path = "/v1"  # of the base URL, as the vendor's SDK takes it

    @classmethod
    @contextmanager
    def start(cls, folder: Path, model: RecordingModel) -> Iterator[Address]:
        with ReplicaServer(lambda: Backend(model.url, "none", "local"), window=SLOT_TOKENS) as replica:
            yield Address(replica.url + cls.path, replica.key)


class ReplicaConversation(ReplicaChain):
    """The same server: a conversation."""

    name = "replica, conversation"
    approach: Approach = "conversations"


class ReplicaThread(ReplicaChain):
    """The same server: Assistants threads, streamed."""

    name = "replica, thread"
    approach: Approach = "assistants"
    settings = replace(SHORT_REPLIES, max_output_tokens=256)  # the smallest limit it accepts for a run, as at OpenAI
    counts = False
    overflow: OverflowResult = "fails"


class ReplicaPolledThread(ReplicaThread):
    """The same, polled."""

    name = "replica, polled thread"
    settings = replace(ReplicaThread.settings, stream=False)


class ReplicaClaude(ReplicaChain):
    """The same server: Claude's message threads."""

    name = "replica, claude thread"
    approach: Approach = "claude"
    path = ""
    proves_deletion = False
    unknown_id: UnknownId = "replays"
    after_deletion: AfterDeletion = "cannot be deleted"


SERVERS: list[type[ServerUnderTest]] = [
    Manual,
    Agentserver,
    AgentserverConversation,
    Myla,
    Claude,
    ReplicaChain,
    ReplicaConversation,
    ReplicaThread,
    ReplicaPolledThread,
    ReplicaClaude,
]
