"""Break it: sends an illegal request on purpose, to show the provider's own refusal.

It is sent only when a person presses the button, and nothing of it is stored with the chat.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lib.chat_settings import ChatSettings
from lib.context.plan import ContextPlan
from lib.errors import ChatError
from lib.messages import Message, utf8_safe
from lib.providers import ChatRequest, Provider, Reply
from lib.request_rules import BREAKS, PROVIDERS, Break, rule
from lib.ui.components import rule_verdict
from lib.ui.format.text import as_markdown
from lib.ui.providers import metered
from lib.ui.shell import services, session

REPLY_TOKENS = 48
"""The longest reply asked for. Short, because all that matters is whether there is one."""


def draw(settings: ChatSettings, plan: ContextPlan, provider: Provider) -> None:
    """Choose a rule to break, see the broken request, send it."""
    panel = st.expander("Break it on purpose", icon=":material/handyman:", key="break_it", on_change="rerun")
    if not panel.open:
        return
    with panel:
        st.caption(
            "Providers refuse requests of the wrong shape. Build one, send it, and read what the provider really says."
            f" It is sent to {as_markdown(services.endpoint(settings.provider).label)}, and nothing of it is stored"
            " with this chat."
        )
        name = st.selectbox(
            "What to break", list(BREAKS), key="break_name", format_func=lambda name: BREAKS[name].label
        )
        way = BREAKS[name]
        rules = provider.rules or "openai"
        broken = way.apply(rules, plan.included)
        st.markdown(f"{way.sentence} {_expected(way)}")
        st.caption(
            f"{as_markdown(rule(rules, name).text)} ({as_markdown(rule(rules, name).source)},"
            f" {rule(rules, name).as_of:%d %B %Y})"
        )
        rule_verdict.diff(plan.included, broken)
        if st.button("Send the broken request", icon=":material/send:", key="send_broken"):
            with st.spinner("Waiting for the provider's answer"):
                session.set_broken_answer([name, settings.provider, *answer(settings, broken, provider)])
        kept = session.broken_answer()
        if kept and kept[:2] == [name, settings.provider]:
            _show(kept[2], kept[3])


def answer(settings: ChatSettings, messages: Sequence[Message], provider: Provider) -> tuple[bool, str]:
    """Send it: whether it was refused, and the refusal or the reply."""
    try:
        sent = provider.prepare(ChatRequest(settings.model, tuple(messages), REPLY_TOKENS))
        for event in metered.opened_by(lambda _: provider)(settings).stream(sent):
            if isinstance(event, Reply):
                return False, event.text
    except ChatError as error:
        return True, error.what
    return False, ""


def _expected(way: Break) -> str:
    refusing = [PROVIDERS[provider] for provider in way.refused_by]
    return f"Refused by {' and '.join(refusing)}." if refusing else "No provider refuses it any more."


def _show(refused: bool, text: str) -> None:
    if refused:
        st.error(f"**Refused.** {as_markdown(text)}", icon=":material/block:")
    else:
        st.success("**Accepted.** This server answered it:", icon=":material/check:")
        st.code(utf8_safe(text) or "(an empty reply)", language=None, wrap_lines=True)
