"""The settings of one session: model, window, strategy and so on. They are stored with the session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from lib.context.plan import ContextWindow
from lib.context.strategies.options import TrimOptions
from lib.generation import OFF, Generation

DEFAULT_OPTIONS = TrimOptions()
CACHE_DIAGNOSTICS = "cache_diagnostics"
"""The name of that setting, in errors too."""


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """The settings of one session. Windows and reserves are tokens.

    Fields with a default came later: sessions stored before them do not have them.
    """

    provider: str
    model: str
    system_prompt: str
    max_tokens: int
    reserved_for_reply: int
    strategy: str
    keep_first: int = DEFAULT_OPTIONS.keep_first
    last_exchanges: int = DEFAULT_OPTIONS.last_exchanges
    low_mark: float = DEFAULT_OPTIONS.low_mark
    summary_provider: str = ""
    """The endpoint that writes summaries; empty means the one that answers."""
    summary_model: str = ""
    generation: Generation = OFF
    cache_diagnostics: bool = False
    """Ask the provider why its prompt cache missed. Sent where the protocol has a field for it, and only if on."""

    @property
    def reply_tokens(self) -> int:
        """The longest reply that is asked for: the one that a person set, else what is reserved for the reply."""
        return self.generation.max_reply_tokens or self.reserved_for_reply

    @property
    def window(self) -> ContextWindow:
        """The window that requests are planned for. It keeps as much room for the reply as the reply may take."""
        return ContextWindow(self.max_tokens, self.reply_tokens)

    @property
    def options(self) -> TrimOptions:
        return TrimOptions(self.keep_first, self.last_exchanges, self.low_mark)

    @property
    def summary_writer(self) -> ChatSettings:
        """The settings that a summary is written with: these, or those of another model."""
        if not self.summary_provider:
            return self
        return replace(self, provider=self.summary_provider, model=self.summary_model)

    def in_window(self, max_tokens: int, reserved_for_reply: int) -> ChatSettings:
        """The same settings in another window, with this reserve as the longest reply."""
        generation = self.generation.without("max_reply_tokens")
        return replace(self, max_tokens=max_tokens, reserved_for_reply=reserved_for_reply, generation=generation)

    def sets(self, name: str | None) -> bool:
        """Whether the generation setting of this name is on, or the cache diagnostics are."""
        return self.cache_diagnostics if name == CACHE_DIAGNOSTICS else name in self.generation.to_dict()

    def without(self, name: str) -> ChatSettings:
        """A copy in which that setting is off and not sent."""
        if name == CACHE_DIAGNOSTICS:
            return replace(self, cache_diagnostics=False)
        return replace(self, generation=self.generation.without(name))

    def to_dict(self) -> dict[str, Any]:
        """As stored. Of the generation settings only those that are on."""
        return asdict(replace(self, generation=OFF)) | {"generation": self.generation.to_dict()}

    def changes_from(self, other: ChatSettings) -> dict[str, Any]:
        """The fields in which these settings differ from `other`, with the values of these."""
        before = other.to_dict()
        return {name: value for name, value in self.to_dict().items() if value != before[name]}

    def updated(self, stored: Mapping[str, Any]) -> ChatSettings:
        """A copy with the stored values. Unknown fields and values of a wrong type are ignored."""
        known = {f.name: stored[f.name] for f in fields(self) if f.name in stored}
        if "generation" in known:
            known["generation"] = Generation.read(known["generation"])
        return replace(
            self, **{name: value for name, value in known.items() if type(value) is type(getattr(self, name))}
        )
