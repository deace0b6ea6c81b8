"""LocalReplica: every approach on this machine, with the embedded model behind all of them.

The one rule: nothing starts before its first use, and nothing leaves this machine. The approaches that need a server that keeps
a history get the replica, whose endpoint is labelled as one; the control asks the same model directly. What the replica holds
is gone with the process, so that a handle from before a restart is a ConversationGone.

Left out: whose conversations these are. A replica has one key, and its ids are what opens a conversation.
"""

from __future__ import annotations

from typing import Any

from lib.providers import Provider
from lib.providers.llama.process import LocalModel, LocalProvider
from lib.providers.openai import OpenAIProvider
from lib.replica.http_values import LABEL
from lib.replica.model import embedded
from lib.replica.server import ReplicaServer
from lib.server_history import Approach, ServerHistory, ThreadSettings
from lib.server_history.factory import open_server_history
from lib.settings import Endpoint

NAME = "replica"


class LocalReplica:
    """A replica, and the provider that asks the model behind it directly. Safe to share between threads.

    Example: history = LocalReplica.on(LocalModel()).history("conversations"); handle = history.create("Be brief.")
    """

    label = LABEL[:1].upper() + LABEL[1:]
    """What has to stand beside everything that comes from it; sentences about failures begin with it."""

    def __init__(self, replica: ReplicaServer, control: Provider, model: str) -> None:
        self._replica, self._control, self._model = replica, control, model

    @classmethod
    def on(cls, model: LocalModel) -> LocalReplica:
        """With the embedded model, which starts with the first turn."""
        return cls(ReplicaServer(embedded(model)), LocalProvider(model), model.name)

    @property
    def window(self) -> int:
        """What the model holds, in tokens."""
        return self._replica.window

    @property
    def running(self) -> bool:
        """Whether the replica has been started and answers."""
        return self._replica.running

    def endpoint(self, approach: Approach) -> Endpoint:
        """Where this approach is spoken, with its key; starts the replica where one is needed. Raises ProviderUnavailable.

        An address holds until `close`: after that the next one is another, and what was held is still there.
        """
        if approach == "manual":
            return Endpoint("local", "local", "The model on this machine", model=self._model, window=self.window)
        self._replica.start()
        claude = approach == "claude"
        return Endpoint(
            NAME,
            "anthropic" if claude else "openai",
            self.label,
            base_url=self._replica.url if claude else f"{self._replica.url}/v1",
            model=self._model,
            key=self._replica.key,
            needs_key=True,
            window=self.window,
        )

    def history(self, approach: Approach, settings: ThreadSettings | None = None) -> ServerHistory:
        """The adapter, pointed at what runs here; cheap, so ask for one per use. Raises ProviderUnavailable."""
        endpoint = self.endpoint(approach)
        return open_server_history(approach, endpoint, endpoint.key, self._control, settings)

    def contents(self) -> dict[str, Any]:
        """What the replica holds, as lib/replica/drills.py lists it. Looking starts nothing and is no use of anything:
        empty where the replica does not run."""
        return dict(self._asked("/replica/contents") or {}) if self.running else {}

    def expire(self, id_: str) -> bool:
        """Make the replica forget what it holds under an id, as if its time were over; whether it held it."""
        return self.running and self._asked("/replica/expire", {"id": id_}) is not None

    def close(self) -> None:
        """Stop the replica. The model is whoever's who made it."""
        self._replica.close()

    def _asked(self, path: str, body: dict[str, Any] | None = None) -> Any:
        endpoint = self.endpoint("conversations")
        return OpenAIProvider(endpoint, endpoint.key).ask_root(path, body)
