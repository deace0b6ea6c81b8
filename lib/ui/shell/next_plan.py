"""The plan of the open chat's next request, which every page shows."""

from __future__ import annotations

from lib.context.plan import ContextPlan
from lib.errors import ChatError
from lib.planner import plan_next
from lib.tokens import ESTIMATE, TokenCounter
from lib.tokens.ledger import TokenLedger
from lib.ui.shell import services, session
from lib.ui.shell.page import Page


def preview(page: Page) -> ContextPlan | None:
    """Plan the next request: with the message that is being answered or waits, or else with an empty new message.

    There is always a new message, because no stored message may push it out. None if the history cannot be read.
    """
    if page.error is not None:
        return None
    try:
        return planned(page, services.counter_of(page.settings) if page.chat is not None else ESTIMATE)
    except ChatError:  # the server that counts is away: use the estimate until it is back
        return planned(page, ESTIMATE)


def planned(page: Page, counter: TokenCounter) -> ContextPlan:
    """The same by this counter."""
    replaced = page.live.replaces if page.live else session.editing()
    ledger = page.chat.ledger(page.session_id, counter) if page.chat is not None else TokenLedger(counter)
    prompt = page.live.prompt if page.live else ""
    return plan_next(page.settings, page.about.marks.muting(replaced), page.history, prompt, ledger)
