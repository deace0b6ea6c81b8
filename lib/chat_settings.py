"""The settings of one session: model, window, strategy and so on. They are stored with the session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from lib.context.plan import ContextWindow
from lib.context.strategies.options import TrimOptions

DEFAULT_OPTIONS = TrimOptions()


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

    @property
    def window(self) -> ContextWindow:
        return ContextWindow(self.max_tokens, self.reserved_for_reply)

    @property
    def options(self) -> TrimOptions:
        return TrimOptions(self.keep_first, self.last_exchanges, self.low_mark)

    @property
    def summary_writer(self) -> ChatSettings:
        """The settings that a summary is written with: these, or those of another model."""
        if not self.summary_provider:
            return self
        return replace(self, provider=self.summary_provider, model=self.summary_model)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def changes_from(self, other: ChatSettings) -> dict[str, Any]:
        """The fields in which these settings differ from `other`, with the values of these."""
        before = other.to_dict()
        return {name: value for name, value in self.to_dict().items() if value != before[name]}

    def updated(self, stored: Mapping[str, Any]) -> ChatSettings:
        """A copy with the stored values. Unknown fields and values of a wrong type are ignored."""
        known = {f.name: stored[f.name] for f in fields(self) if f.name in stored}
        return replace(
            self, **{name: value for name, value in known.items() if type(value) is type(getattr(self, name))}
        )
