"""What a person chose for one session: model, window, strategy. It is stored with the session and comes back with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from lib.context.plan import ContextWindow
from lib.context.strategies.options import TrimOptions

DEFAULT_OPTIONS = TrimOptions()


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """What belongs to a session and comes back with it. Windows and reserves are tokens.

    What has a default is what TrimOptions says, and who summarizes; sessions stored before there was a choice have none of it.
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
    """Who writes summaries; empty: whoever answers."""
    summary_model: str = ""

    @property
    def window(self) -> ContextWindow:
        return ContextWindow(self.max_tokens, self.reserved_for_reply)

    @property
    def options(self) -> TrimOptions:
        return TrimOptions(self.keep_first, self.last_exchanges, self.low_mark)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def updated(self, stored: Mapping[str, Any]) -> ChatSettings:
        """These settings with the stored ones over them; fields we do not know and wrong types are passed over."""
        known = {f.name: stored[f.name] for f in fields(self) if f.name in stored}
        return replace(
            self, **{name: value for name, value in known.items() if type(value) is type(getattr(self, name))}
        )
