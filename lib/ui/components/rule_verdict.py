"""Whether a provider would accept a request: the rules it breaks, and the smallest repair as a diff.

A verdict names the rule, its source and the day it was read. It never changes the request.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lib.chat.rebuild import messages_of
from lib.context.plan import ContextPlan, ContextWindow
from lib.errors import RuleBroken
from lib.messages import Message, utf8_safe
from lib.providers import Provider
from lib.request_rules import PROVIDERS, Breach, DiffRow, RuleProvider, breaches, diff_rows, repaired
from lib.turns import LiveTurn
from lib.ui.format import numbers
from lib.ui.format.text import as_markdown
from lib.ui.shell import session
from lib.ui.shell.page import Page

SIGNS = {"kept": "  ", "removed": "- ", "added": "+ ", "changed": "+ "}
LINE = 160
"""Characters of a message in a diff."""


def draw(plan: ContextPlan, provider: Provider) -> None:
    """The verdict on the next request, by its provider's rules or another provider's that a person chose."""
    rules = _rules(provider)
    found = breaches(rules, plan.included, input_tokens=plan.input_tokens, window=plan.window)
    refused = [breach for breach in found if breach.rule.refused]
    notes = f", with {numbers.plural(len(found), 'note')}" if found and not refused else ""
    name = PROVIDERS[rules]
    title = f"{name} would refuse this request" if refused else f"Valid {name} request{notes}"
    panel = st.expander(
        title, icon=":material/block:" if refused else ":material/check:", key="lint", on_change="rerun"
    )
    if not panel.open and not refused:
        return
    with panel:
        st.segmented_control(
            "Rules of",
            list(PROVIDERS),
            default=rules,
            required=True,
            key=session.CHECKED_RULES,
            format_func=lambda name: PROVIDERS.get(name, name),
        )
        verdict(rules, found, plan.included)


def of_sent(rules: RuleProvider, messages: Sequence[Message], input_tokens: int, window: ContextWindow) -> None:
    """The verdict on a request that an app sent, by the rules of its provider."""
    found = breaches(rules, messages, input_tokens=input_tokens, window=window)
    refused = any(breach.rule.refused for breach in found)
    name = PROVIDERS[rules]
    if refused:
        title = f"It breaks {numbers.plural(len(found), 'rule')} of {name}"
    else:
        title = f"It keeps the rules of {name}" + (f", with {numbers.plural(len(found), 'note')}" if found else "")
    icon = ":material/block:" if refused else ":material/check:"
    panel = st.expander(title, icon=icon, key="app_lint", on_change="rerun")
    if panel.open or refused:
        with panel:
            verdict(rules, found, messages)


def verdict(rules: RuleProvider, found: Sequence[Breach], messages: Sequence[Message]) -> None:
    """Every breach with its rule, then the smallest repair."""
    for breach in found:
        rule = breach.rule
        words = (
            f"**{rule.title}.** {as_markdown(breach.sentence)}  \n{as_markdown(rule.text)} ({as_markdown(rule.source)},"
            f" {rule.as_of:%d %B %Y})"
        )
        if rule.refused:
            st.warning(words, icon=":material/block:")
        else:
            st.info(words, icon=":material/info:")
    if not found:
        st.caption("Roles, tool calls, instructions and sizes are as this provider requires.")
    if any(breach.rule.refused for breach in found):
        repair = repaired(rules, messages)
        if repair.changes:
            st.caption("The smallest repair: " + " ".join(as_markdown(change.sentence) for change in repair.changes))
            diff(messages, repair.messages)


def diff(before: Sequence[Message], after: Sequence[Message]) -> None:
    """Two requests line by line."""
    rows = diff_rows(before, after)
    st.code("\n".join(line for row in _near(rows) for line in _lines(row)), language="diff", wrap_lines=True)


def of_live(page: Page, live: LiveTurn) -> None:
    """The verdict on a request that was not sent because it breaks a rule of its provider."""
    if live.plan is None:
        return
    provider = live.error.provider if isinstance(live.error, RuleBroken) else None
    rules: RuleProvider = next((name for name in PROVIDERS if name == provider), "openai")
    messages = messages_of(live.plan, live.settings.system_prompt, live.prompt, page.history)
    found = [breach for breach in breaches(rules, messages) if breach.rule.refused]
    if found:
        verdict(rules, found, messages)


def _rules(provider: Provider) -> RuleProvider:
    """The rules a person chose, else the provider's own; an unknown server is taken for OpenAI's."""
    chosen = session.checked_rules()
    return next((name for name in PROVIDERS if name == chosen), provider.rules or "openai")


def _near(rows: Sequence[DiffRow]) -> list[DiffRow | None]:
    """Rows that changed, with two on each side; None where some are skipped."""
    drawn = {at + off for at, row in enumerate(rows) if row.kind != "kept" for off in range(-2, 3)}
    near: list[DiffRow | None] = []
    for at, row in enumerate(rows):
        if at in drawn:
            near.append(row)
        elif not near or near[-1] is not None:
            near.append(None)
    return near


def _lines(row: DiffRow | None) -> list[str]:
    if row is None:
        return ["  …"]
    was = [f"- {_short(row.was)}"] if row.was is not None else []
    return [*was, f"{SIGNS[row.kind]}{_short(row.text)}"]


def _short(text: str) -> str:
    line = " ".join(utf8_safe(text).split())
    return line if len(line) <= LINE else line[: LINE - 1] + "…"
