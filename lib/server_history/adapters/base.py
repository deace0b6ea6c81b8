"""What all adapters share: settings, facts, and the defaults of one that creates nothing on the server."""

from __future__ import annotations

from typing import ClassVar

from lib.messages import Message
from lib.server_history import Approach, Facts, Handle, ThreadSettings
from lib.server_history.reference import FACTS
from lib.server_history.sdk_values import system_messages


class Adapter:
    """Base of every ServerHistory. `model` is the model of new conversations."""

    approach: ClassVar[Approach]

    def __init__(self, model: str, settings: ThreadSettings | None = None) -> None:
        self.settings = settings or ThreadSettings()
        self._model = model

    @property
    def facts(self) -> Facts:
        """What a person should know about this approach."""
        return FACTS[self.approach]

    def create(self, system_prompt: str) -> Handle:
        """A handle; sends nothing, because the conversation begins with its first turn."""
        return Handle(self.approach, self._model, system_prompt)

    def export(self, handle: Handle) -> list[Message]:
        """Our own copy, system prompt first."""
        return [*system_messages(handle.system_prompt), *handle.own_copy]

    def count(self, handle: Handle, text: str) -> int | None:
        """None: this approach has no counting endpoint."""
        return None
