"""LocalReplica: every approach on this machine and without a key, with the embedded model answering.

Approaches that need a server with a history use the replica (lib/replica), whose endpoint says that it is one; the
manual approach sends to the model directly. Nothing starts before its first use, and nothing leaves this machine. What
the replica holds is gone when the process ends: a handle from before a restart raises ConversationGone.

A replica has one key and no accounts: whoever knows an id can read its conversation.
"""

from __future__ import annotations

from typing import Any

from lib.providers import Provider
from lib.providers.llama.process import LocalModel, LocalProvider
from lib.providers.openai import OpenAIProvider
from lib.replica.http_values import LABEL
from lib.replica.model import embedded_backend
from lib.replica.server import ReplicaServer
from lib.server_history import Approach, ServerHistory, ThreadSettings
from lib.server_history.factory import open_server_history
from lib.settings import Endpoint

NAME = "replica"


class LocalReplica:
    """A replica, and the provider that sends to its model directly. Safe to share between threads.

    Example: history = LocalReplica.on(LocalModel()).history("conversations"); handle = history.create("Be brief.")
    """

    label = LABEL[:1].upper() + LABEL[1:]
    """Shown beside everything that comes from it; sentences about its failures begin with it."""

    def __init__(self, server: ReplicaServer, direct: Provider, model: str) -> None:
        self._server, self._direct, self._model = server, direct, model

    @classmethod
    def on(cls, model: LocalModel) -> LocalReplica:
        """A replica with the embedded model, which starts with the first turn."""
        return cls(ReplicaServer(embedded_backend(model)), LocalProvider(model), model.name)

    @property
    def window(self) -> int:
        """The model's context window in tokens."""
        return self._server.window

    @property
    def running(self) -> bool:
        """Whether the replica was started and answers."""
        return self._server.running

    def endpoint(self, approach: Approach) -> Endpoint:
        """The endpoint for this approach, key included. Starts the replica if it needs one. Raises ProviderUnavailable.

        Its URL is valid until `close`; a later start uses another one and still holds the same conversations.
        """
        if approach == "manual":
            return Endpoint("local", "local", "The model on this machine", model=self._model, window=self.window)
        self._server.start()
        claude = approach == "claude"
        return Endpoint(
            NAME,
            "anthropic" if claude else "openai",
            self.label,
            base_url=self._server.url if claude else f"{self._server.url}/v1",
            model=self._model,
            key=self._server.key,
            needs_key=True,
            window=self.window,
        )

    def history(self, approach: Approach, settings: ThreadSettings | None = None) -> ServerHistory:
        """The adapter for this approach; cheap, so open one per use. Raises ProviderUnavailable."""
        endpoint = self.endpoint(approach)
        return open_server_history(approach, endpoint, endpoint.key, self._direct, settings)

    def contents(self) -> dict[str, Any]:
        """What the replica holds, as lib/replica/drills.py lists it; empty if it does not run. Starts nothing, and does
        not count as a use."""
        return dict(self._request("/replica/contents") or {}) if self.running else {}

    def expire(self, id_: str) -> bool:
        """Make the replica forget an id as if its time were over. Returns whether it held it."""
        return self.running and self._request("/replica/expire", {"id": id_}) is not None

    def close(self) -> None:
        """Stop the replica. The model keeps running; it belongs to the caller."""
        self._server.close()

    def _request(self, path: str, body: dict[str, Any] | None = None) -> Any:
        endpoint = self.endpoint("conversations")
        return OpenAIProvider(endpoint, endpoint.key).ask_root(path, body)
