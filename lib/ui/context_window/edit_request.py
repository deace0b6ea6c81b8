"""Edit a request and send it again, as a new chat: its JSON, checked by the provider's rules before it is sent."""

from __future__ import annotations

import json

import streamlit as st

from lib.chat.resend import EditedRequest, read_edited, resend
from lib.errors import ChatError
from lib.providers import Provider, SentBody
from lib.request_rules import PROVIDERS
from lib.ui.chat import actions
from lib.ui.components import rule_verdict
from lib.ui.context_window import state
from lib.ui.format import numbers
from lib.ui.format.text import as_markdown
from lib.ui.shell import menu, services, session
from lib.ui.shell.error_box import attempt
from lib.ui.shell.page import Page


def draw(page: Page, provider: Provider, sent: SentBody, key: str) -> None:
    """The panel for the request with this key. Nothing is sent or stored until the button is pressed."""
    panel = st.expander("Edit and send again", icon=":material/edit_note:", key=f"{key}:edit", on_change="rerun")
    if not panel.open:
        return
    with panel:
        st.caption(
            "Change anything: a message, the system prompt, a setting of the model. It is sent to"
            f" {as_markdown(services.endpoint(page.settings.provider).label)} as a new chat; this chat stays as it is."
        )
        text = st.text_area(
            "The request as JSON", key=state.seed_request(page.session_id, sent.sha256, pretty(sent)), height=360
        )
        try:
            edited = read_edited(text)
        except ChatError as error:
            st.error(as_markdown(error.what), icon=":material/error:")
            return
        st.caption(what_it_holds(edited))
        _verdict(edited, provider)
        st.button(
            "Send as a new chat", icon=":material/send:", key=f"{key}:resend", on_click=_send, args=(page, edited)
        )
        if line := session.take_flash():
            st.warning(as_markdown(line), icon=":material/error:")
        if state.take_resent():
            st.switch_page(menu.MENU["chat"].path, query_params={"session": session.session_id()[0]})


def pretty(sent: SentBody) -> str:
    """The body as a person can read and edit it."""
    return json.dumps(json.loads(sent.data), ensure_ascii=False, indent=2)


def what_it_holds(edited: EditedRequest) -> str:
    """Example: "12 messages and a system prompt, to gpt-5. Also sent: temperature." """
    words = numbers.plural(len(edited.history) + 1, "message")
    words += " and a system prompt" if edited.system_prompt else ""
    words += f", to {as_markdown(edited.model)}." if edited.model else "."
    if edited.fields:
        words += f" Also sent: {as_markdown(', '.join(edited.fields))}."
    return words


def _verdict(edited: EditedRequest, provider: Provider) -> None:
    """The rules that the edited request breaks. The new chat asks before it sends one that would be refused."""
    found = edited.breaches(provider.rules)
    if provider.rules is None or not found:
        return
    if any(breach.rule.refused for breach in found):
        st.warning(f"{PROVIDERS[provider.rules]} would refuse this request.", icon=":material/block:")
    rule_verdict.verdict(provider.rules, found, edited.messages)


def _send(page: Page, edited: EditedRequest) -> None:
    """Send it and open the new chat. For callbacks."""

    def act() -> None:
        opener = actions.opener(page.settings.provider)
        session.open_session(resend(services.chat(), page.session_id, edited, page.settings, opener))
        state.set_resent()

    attempt(act)
