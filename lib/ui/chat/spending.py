"""What the next message will cost, how much of a spending cap is used, and the form in which the caps are set."""

from __future__ import annotations

import time
from decimal import Decimal

import streamlit as st

from lib.access import Right
from lib.analysis.next_cost import NextCost, next_cost
from lib.context.plan import ContextPlan
from lib.errors import ChatError
from lib.pricing.costs import cost, saved_by_cache
from lib.spending import Caps, Spent
from lib.turns import Turn
from lib.ui.chat import state
from lib.ui.format import numbers
from lib.ui.format.text import as_markdown
from lib.ui.shell import services, session
from lib.ui.shell.error_box import attempt
from lib.ui.shell.page import Page

CHAT, DAY = "This chat", "Today"
HIGHEST = 1_000_000.0
"""USD that the fields take."""


def next_words(page: Page, plan: ContextPlan) -> str:
    """What the caption of the strip says about money, with the point before it. Empty for a model on this machine."""
    if page.chat is None or not page.may_write:
        return ""
    model = services.find_model(page.settings.provider, page.settings.model)
    if model is None:
        return " · no price known"
    if model.vendor == "local":
        return ""
    try:
        turns = page.chat.store.turns(page.session_id, newest=1) if page.history else []
    except ChatError:  # the page says so already
        return ""
    found = next_cost(plan, page.settings, model, turns[-1] if turns else None, time.time())
    return " · no price known" if found is None else f" · {cost_words(found)}"


def cost_words(found: NextCost) -> str:
    """Markdown. Example: "costs at most $0.012, or $0.0041 if the cache still has the beginning"."""
    words = f"costs at most {numbers.money(found.most)}"
    if found.cached is not None:
        words += f", or {numbers.money(found.cached)} if the cache still has the beginning"
    return words.replace("$", "\\$")


def turn_words(turn: Turn) -> str:
    """Markdown: what a turn cost, and what the cache saved. Empty for a model without a price.

    Example: "$0.0042, 82 % reused, saved $0.012"; "$0.0042, cache not reported".
    """
    model = services.find_model(turn.provider, str(turn.request.get("model", turn.model)))
    if model is None or model.vendor == "local" or not model.rates:
        return ""
    price = cost(model, turn.usage, turn.started_at)
    if price is None:
        return f"cost {numbers.NOT_REPORTED}"
    usage, words = turn.usage, numbers.money(price.total)
    if usage.cached_tokens is None:
        words += f", cache {numbers.NOT_REPORTED}"
    elif usage.cached_tokens and usage.input_tokens:
        saved = saved_by_cache(model, usage, turn.started_at)
        words += f", {numbers.percent(usage.cached_tokens, usage.input_tokens)} reused"
        words += f", saved {numbers.money(saved)}" if saved else ""
    else:
        words += ", nothing reused"
    return words.replace("$", "\\$")


def warn(page: Page) -> None:
    """A line once 80 % of a cap are used. Only its owner is told, and only where messages cost something."""
    if page.chat is None or page.right < Right.OWN or page.library or not page.history:
        return
    model = services.find_model(page.settings.provider, page.settings.model)
    if model is None or model.vendor == "local":
        return
    try:
        chat, day = page.chat.spending.spent(page.session_id)
    except ChatError:  # the page says so already
        return
    for name, spent in ((CHAT, chat), (DAY, day)):
        if spent.warns:
            st.caption(f":material/savings: {used(name, spent)}")


def used(name: str, spent: Spent) -> str:
    """Markdown. Example: "This chat has used 84 % of its spending cap: $0.84 of $1.00." """
    if spent.cap is None:
        return f"{name}: {numbers.money(spent.usd)}".replace("$", "\\$")
    whose = "its spending cap" if name == CHAT else "the spending cap of a day"
    subject = "This chat has used" if name == CHAT else "Your chats have used today"
    part = numbers.percent(spent.usd, spent.cap) if spent.cap else "100 %"
    words = f"{subject} {part} of {whose}: {numbers.money(spent.usd)} of {numbers.money(spent.cap)}."
    return words.replace("$", "\\$")


def form(page: Page) -> None:
    """The caps of this chat and of a day, with what was spent. For the owner of the chat."""
    if page.chat is None or page.right < Right.OWN or page.library:
        return
    panel = st.expander("Spending caps", icon=":material/savings:", key="spending", on_change="rerun")
    if not panel.open:
        return
    with panel:
        try:
            caps, spent = page.chat.spending.caps(page.session_id), page.chat.spending.spent(page.session_id)
        except ChatError as error:
            st.warning(as_markdown(error.what))
            return
        limits = page.chat.spending.limits
        for name, cap, limit, each in zip((CHAT, DAY), (caps.session, caps.day), _both(limits), spent, strict=True):
            _field(page.session_id, name, cap, limit, each)
        st.caption(
            "Before a message is sent, the most that it can cost is held against both caps; a message that would pass"
            " one is not sent. Models without a known price are not counted. A day is one of UTC."
        )


def _field(session_id: str, name: str, cap: Decimal | None, limit: Decimal | None, spent: Spent) -> None:
    key = _key(name, session_id)
    session.set_widget(key, None if cap is None else float(cap))
    st.number_input(
        f"{name}, at most (USD)",
        min_value=0.0,
        max_value=HIGHEST,
        step=0.5,
        value=None,
        format="%.2f",
        placeholder="no cap" if limit is None else f"at most {numbers.money(limit)}, set where the app runs",
        key=key,
        on_change=_store,
        args=(session_id,),
    )
    st.caption(f"Used so far: {numbers.money(spent.usd)}".replace("$", "\\$"))


def _key(name: str, session_id: str) -> str:
    return f"cap:{name}:{session_id}"


def _store(session_id: str) -> None:
    """Keep both caps. For the callback of a field."""
    values = [state.typed_cap(_key(name, session_id)) for name in (CHAT, DAY)]
    chat, day = (None if value is None else Decimal(str(value)) for value in values)
    attempt(lambda: services.chat().spending.set_caps(session_id, Caps(chat, day)))


def _both(caps: Caps) -> tuple[Decimal | None, Decimal | None]:
    return caps.session, caps.day
