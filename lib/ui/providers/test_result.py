"""The test of a connection: who answers, which models it has, how much they hold, and who counts their tokens."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from lib.errors import ChatError
from lib.providers import Provider
from lib.providers.connection import Connection, connect
from lib.settings import Endpoint
from lib.tokens import TokenCounter
from lib.ui.format import numbers
from lib.ui.format.text import as_label, as_markdown
from lib.ui.providers import state
from lib.ui.shell import services, session, session_settings

NAMED = 6
"""Models that are named."""


def run(name: str, endpoint: Endpoint) -> None:
    """Test an endpoint, which costs no tokens, and remember the result."""
    settings = session_settings.defaults(name)

    def counter_of(model: str, provider: Provider) -> TokenCounter:
        return services.counter_of(replace(settings, model=model), provider)

    with st.spinner(f"Asking {as_label(endpoint.label)}…"):
        try:
            result = connect(services.provider_of(settings, services.key_for(name)), endpoint, "", counter_of)
        except ChatError as error:
            state.keep_test(name, f"**{as_markdown(error.what)}** {as_markdown(error.next_step)}")
            return
    session.set_listed_models(name, list(result.models))
    state.keep_test(name, result)


def draw(endpoint: Endpoint, result: Connection | str) -> None:
    """What a test found; the words for why it failed are Markdown already."""
    if isinstance(result, str):
        st.warning(result, icon=":material/error:")
        return
    st.markdown("\n".join(f"- {line}" for line in lines(endpoint, result)))


def lines(endpoint: Endpoint, result: Connection) -> list[str]:
    """What was found, as lines of Markdown."""
    identity, count = result.identity, len(result.models)
    named = ", ".join(as_label(model) for model in result.models[:NAMED])
    more = f" and {count - NAMED:,} more" if count > NAMED else ""
    window = f"{identity.window:,} tokens, {identity.source}" if identity.window else NO_WINDOW
    model = f" for {as_label(result.model)}" if result.model else ""
    return [
        f"**Who answers:** {as_label(identity.server)}",
        f"**Models:** {numbers.plural(count, 'model')}{f': {named}{more}' if named else ''}",
        f"**Window{model}:** {window}",
        f"**Counter{model}:** {as_label(numbers.by(result.counter))}",
    ]


NO_WINDOW = "it does not say; the probe below finds out whether it drops something"
