"""The probe of an endpoint: one message, sent only when a person asks for it, with its highest cost said first."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from lib.errors import ChatError
from lib.messages import Usage
from lib.pricing.costs import cost
from lib.providers.connection import Connection, identify
from lib.providers.connection.probe import MOST_TOKENS, PROBE_TOKENS, REPLY_TOKENS, Outcome, Probe, send
from lib.providers.factory import vendor_of
from lib.settings import Endpoint
from lib.ui.format import numbers
from lib.ui.format.text import as_label, as_markdown
from lib.ui.providers import metered, state
from lib.ui.shell import services, session_settings


def draw(name: str, endpoint: Endpoint, tested: Connection) -> None:
    """A closed panel; nothing is counted before it is open, and nothing is sent before its button is clicked."""
    panel = st.expander(
        "Does it drop a part silently?", icon=":material/troubleshoot:", key=f"probe_panel:{name}", on_change="rerun"
    )
    if not panel.open:
        return
    with panel:
        tokens = _size(name, tested)
        probe = Probe.of_size(tokens, tested.counter)
        st.markdown(sentence(endpoint, tested, probe))
        if st.button("Send the probe", key=f"probe:{name}", icon=":material/send:"):
            _run(name, endpoint, tested, probe)
        outcome = state.probe_of(name)
        if outcome is not None:
            _draw_outcome(outcome)


def _size(name: str, tested: Connection) -> int:
    """How large a probe the person wants: the usual one, or one that the window cannot hold."""
    window = tested.identity.window
    sizes = {PROBE_TOKENS: f"A few hundred tokens (about {PROBE_TOKENS:,})"}
    if window is not None and window < MOST_TOKENS // 2:
        larger = window + window // 4
        sizes[max(larger, PROBE_TOKENS + 1)] = f"More than its window of {window:,} tokens (about {larger:,})"
    if len(sizes) == 1:
        return PROBE_TOKENS
    chosen = st.radio("Size of the probe", list(sizes), format_func=sizes.__getitem__, key=f"probe_size:{name}")
    return chosen or PROBE_TOKENS


def sentence(endpoint: Endpoint, tested: Connection, probe: Probe) -> str:
    """What is sent, and what it costs at most."""
    size = numbers.tokens(probe.tokens, probe.counter.provenance)
    return (
        f"This sends one message of {size} tokens to {as_label(tested.model)}. It begins with a code word and asks for"
        f" it at the end, and the reply may have {REPLY_TOKENS} tokens. {_price(endpoint, tested.model, probe.at_most)}"
    )


def _price(endpoint: Endpoint, model: str, most: Usage) -> str:
    if vendor_of(endpoint) == "local":
        return "**It costs nothing:** the model runs on this machine."
    known = services.find_model(endpoint.name, model)
    price = None if known is None else cost(known, most)
    if price is None:
        return "**No price is known for it:** what this costs, if anything, is up to the server's owner."
    return f"**It costs at most {numbers.money(price.total)}**, at list price."


def _run(name: str, endpoint: Endpoint, tested: Connection, probe: Probe) -> None:
    """Send the probe and remember its outcome. Draws the page again, because the server may have said more since."""
    settings = replace(session_settings.defaults(name), model=tested.model)
    provider = services.provider_of(settings, services.key_for(name))
    with st.spinner(f"Waiting for {as_label(tested.model)}…"):
        try:
            outcome: Outcome | str = send(metered.provider_of(settings), tested.model, probe)
        except ChatError as error:
            outcome = f"**{as_markdown(error.what)}** {as_markdown(error.next_step)}"
        identity = identify(provider, endpoint, tested.model)  # some say how much they hold once a model is loaded
    state.keep_probe(name, outcome)
    state.keep_test(name, replace(tested, identity=identity))
    st.rerun()


def _draw_outcome(outcome: Outcome | str) -> None:
    if isinstance(outcome, str):
        st.warning(outcome, icon=":material/error:")
    elif outcome.verdict == "cut":
        st.warning(words(outcome), icon=":material/content_cut:")
    else:
        st.markdown(words(outcome))


def words(outcome: Outcome) -> str:
    """The outcome as Markdown."""
    recalled = (
        "The reply has the code word of the first line."
        if outcome.recalled
        else "The reply does not have the code word; small models and long reasoning often miss it."
    )
    if outcome.verdict == "refused":
        return f"**It drops nothing silently:** it refused what it cannot hold. {as_markdown(outcome.words)}"
    if outcome.verdict == "not reported":
        return f"**It does not report its usage**, so its numbers do not show what it read. {recalled}"
    read = f"{outcome.usage.input_tokens or 0:,}"
    if outcome.verdict == "cut":
        return (
            f"**It read less than it was sent, and said nothing:** {outcome.tokens:,} tokens were counted, and it"
            f" reports {read}. {recalled} Make the window of chats with it smaller than that."
        )
    return (
        f"**It read all of it and reports its usage:** {outcome.tokens:,} tokens were counted, and it reports {read}."
        f" {recalled} Larger requests were not tried."
    )
