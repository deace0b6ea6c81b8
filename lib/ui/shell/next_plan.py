"""The plan of the open chat's next request, which every page shows."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress

from lib.context.plan import ContextPlan
from lib.errors import ChatError
from lib.messages import Message
from lib.planner import plan_next
from lib.tokens import ESTIMATE, TokenCounter
from lib.tokens.counted import counted
from lib.tokens.ledger import TokenLedger
from lib.ui.shell import services, session
from lib.ui.shell.page import Page

LONG_TO_COUNT = 2_000_000
"""Characters that are counted in about half a second. The page does not wait for more."""


def preview(page: Page) -> ContextPlan | None:
    """Plan the next request: with the message that is being answered or waits, or else with an empty new message.

    There is always a new message, because no stored message may push it out. None if the history cannot be read.
    """
    if page.error is not None:
        return None
    try:
        return planned(page, _counter(page))
    except ChatError:  # the server that counts is away: use the estimate until it is back
        return planned(page, ESTIMATE)


def _counter(page: Page) -> TokenCounter:
    """The chat's counter; the estimate while a text is counted for the first time that takes long to count."""
    if page.chat is None:
        return ESTIMATE
    counter = services.counter_of(page.settings)
    ledger = page.chat.ledger(page.session_id, counter)
    if sum(len(counted(each).message.text) for each in ledger.uncounted(page.history)) <= LONG_TO_COUNT:
        return counter
    if not ledger.counting:
        threading.Thread(target=_count, args=(ledger, page.history), daemon=True, name="count").start()
    return ESTIMATE


def _count(ledger: TokenLedger, history: Sequence[Message]) -> None:
    """Count so that the next drawing has the sizes. For a thread."""
    with suppress(ChatError):  # the server that counts is away: whoever asks next is told
        ledger.sync(history)


def planned(page: Page, counter: TokenCounter) -> ContextPlan:
    """The same by this counter."""
    replaced = page.live.replaces if page.live else session.editing()
    ledger = page.chat.ledger(page.session_id, counter) if page.chat is not None else TokenLedger(counter)
    prompt = page.live.prompt if page.live else ""
    return plan_next(page.settings, page.about.marks.muting(replaced), page.history, prompt, ledger)
