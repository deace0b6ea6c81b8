"""The one way to plan a session's next request: the gauge, the next-request tab, a turn and the recall probe all use
it.

Two callers with the same settings, marks, history, prompt and counter get the same plan, so what the gauge shows is
what the turn sends.
"""

from __future__ import annotations

from collections.abc import Sequence

from lib.chat_settings import ChatSettings
from lib.context import Marks, WantedSummary, plan_context, wanted_summary
from lib.context.candidates import Candidates
from lib.context.plan import ContextPlan
from lib.messages import Message
from lib.tokens.ledger import TokenLedger


def plan_next(
    settings: ChatSettings, marks: Marks, history: Sequence[Message], prompt: str | None, ledger: TokenLedger
) -> ContextPlan:
    """Plan the request that would answer `prompt`. None plans a request without a new message.

    Sizes are tokens by the ledger's counter. Raises ProviderError if that counter asks a server which fails.
    Example: plan_next(settings, about.marks.muting(live.replaces), history, live.prompt, ledger)
    """
    candidates = Candidates.gather(settings.system_prompt, history, prompt, ledger)
    return plan_context(candidates, settings.window, settings.strategy, marks, settings.options)


def summary_needed(
    settings: ChatSettings, marks: Marks, history: Sequence[Message], prompt: str | None, ledger: TokenLedger
) -> WantedSummary | None:
    """The summary to write before this request is planned; None if the strategy uses none or has what it needs."""
    if settings.strategy != "summarize":
        return None
    candidates = Candidates.gather(settings.system_prompt, history, prompt, ledger)
    return wanted_summary(candidates, settings.window, marks, settings.options)
