"""One request that was sent: at a glance, its messages one by one, and the request itself.

Looking writes nothing and sends nothing. Requests of other services and turns that no longer match the stored messages
are shown as such.
"""

from __future__ import annotations

from functools import partial

import streamlit as st

from lib.analysis.decisions import shortfall
from lib.analysis.request_view import RequestView, view_of_record
from lib.analysis.requests import MessageSizes, RequestRecord
from lib.chat.rebuild import matches_what_was_sent, rebuild_body
from lib.errors import ChatError
from lib.example.provider import ExampleProvider
from lib.providers import ChatRequest, Provider, SentBody
from lib.settings import EXAMPLE
from lib.tokens import PROVENANCE_TEXT, provenance_label
from lib.turns import Turn
from lib.ui.components import message_sizes, odd_turns, request_strip
from lib.ui.components.message_parts.shown import shown_with
from lib.ui.components.reasoning import sent_back
from lib.ui.context_window import edit_request, lost_facts, request_body, request_rows, sentences, tabs
from lib.ui.context_window.request_picker import RequestEntry
from lib.ui.format import numbers
from lib.ui.format.text import as_markdown
from lib.ui.record import app_request
from lib.ui.shell import menu, services, session, session_settings
from lib.ui.shell.page import Page


def draw_head(page: Page, entry: RequestEntry) -> None:
    """The request at a glance: the strip, one sentence, what was lost, the proof that this is what was sent."""
    if entry.record is None:
        _without_messages(entry.turn)
        return
    sizes = message_sizes.sizes_of(page, entry.turn)
    view = view_of_record(entry.record, sizes, page.history)
    imported = next((one for one in page.about.imports if one.covers(entry.record.at)), None)
    cached = entry.turn.usage.cached_tokens if entry.turn is not None else None
    with st.container(gap="xsmall"):
        st.markdown(sentences.headline(view, entry.record.recorded, imported))
        alarm(entry.turn)
        request_strip.draw(view, "sent_strip", cached, partial(_open, entry))
        lost = lost_facts.sentence(view)
        if lost:
            st.markdown(lost)
        _proof(page, entry.record)


def draw(page: Page, entry: RequestEntry) -> None:
    """The messages one by one, who counted, the request itself."""
    if entry.record is None:
        return
    sizes = message_sizes.sizes_of(page, entry.turn)
    view = view_of_record(entry.record, sizes, page.history)
    _who_counted(entry.turn, sizes)
    _notes(entry.turn, sizes)
    sent_back.draw(page, entry.record, partial(_wire, page))
    _request(page, entry.record, sizes)
    _rows(page, entry.record, view)


def explain_empty(page: Page) -> None:
    """What will be here, and how to get it."""
    st.info("Nothing was sent yet. Send a message in the chat: what was sent, and what was dropped, appears here.")
    st.page_link(
        menu.MENU["chat"].path,
        label="Back to chat",
        icon=menu.MENU["chat"].icon,
        query_params={"session": page.session_id},
    )


def alarm(turn: Turn | None) -> None:
    """A warning if the server read less than it was sent."""
    missing = shortfall(turn) if turn is not None else None
    if missing is None or turn is None or turn.plan is None:
        return
    plan = turn.plan
    st.error(
        "**The server seems to have cut this request without saying so.** It was sent"
        f" {numbers.sized(plan.input_tokens, plan.provenance)} and says it read"
        f" {numbers.tokens(turn.usage.input_tokens, turn.usage_provenance)}: about {missing:,} are missing, most likely"
        " the oldest messages. Some servers do this when their own context is smaller than the window set here"
        f" ({plan.max_tokens:,} tokens): make that window smaller, or give the server a larger context.",
        icon=":material/content_cut:",
    )


def _notes(turn: Turn | None, sizes: MessageSizes) -> None:
    odd_turns.draw([] if turn is None else [turn])
    if turn is None or turn.plan is None:
        return
    if turn.summarized is not None:
        summary = turn.summarized
        read, wrote = (
            numbers.tokens(count, summary.provenance)
            for count in (summary.usage.input_tokens, summary.usage.output_tokens)
        )
        st.caption(
            f":material/summarize: Before it, {as_markdown(summary.model)} wrote a summary: {read} in, {wrote} out, in"
            f" {numbers.plural(summary.requests, 'request')}, {numbers.duration(summary.duration_ms / 1000)}. It is"
            " billed separately."
        )
    if turn.plan.fallback:
        st.caption(as_markdown(turn.plan.fallback))
    if sizes.counter.name != turn.plan.counter:
        st.caption(
            f"When it was sent, {as_markdown(turn.plan.counter)} counted, which is not available now. These sizes are"
            " another counter's, so they may not add up to what was decided then."
        )


def _who_counted(turn: Turn | None, sizes: MessageSizes) -> None:
    """Who counted, who answered, and what the provider says it read and wrote."""
    words = f"Sizes are in tokens, by {as_markdown(sizes.counter.name)}. {PROVENANCE_TEXT[sizes.provenance]}"
    if turn is not None and turn.provider == EXAMPLE:
        words = f"The reply was written by hand: no server read this request.  \n{words}"
    elif turn is not None:
        words = f"{as_markdown(turn.provider)} · {as_markdown(turn.model)} · {usage(turn)}  \n{words}"
    st.caption(words)


def usage(turn: Turn) -> str:
    """What the server reported. Example: "300 in, 282 of them from its cache · 71 out (counted) · ended: stop"."""
    read, cached, wrote = turn.usage.input_tokens, turn.usage.cached_tokens, turn.usage.output_tokens
    words_in = f"input {numbers.NOT_REPORTED}" if read is None else f"{read:,} in"
    words_in += f", its cache {numbers.NOT_REPORTED}" if cached is None else f", {cached:,} of them from its cache"
    words_out = f"output {numbers.NOT_REPORTED}" if wrote is None else f"{wrote:,} out"
    known = any(count is not None for count in (read, cached, wrote))
    who = f" ({provenance_label(turn.usage_provenance)})" if known else ""
    return f"{words_in} · {words_out}{who} · ended: {as_markdown(turn.stop_reason or numbers.NOT_REPORTED)}"


def _open(entry: RequestEntry, index: int) -> None:
    """Show a message of this request among its rows. For callbacks."""
    session.set_turn_in_url(entry.key)
    session.choose_message(index)
    session.set_widget(session.CONTEXT_WINDOW_TAB, tabs.SENT)


def _rows(page: Page, record: RequestRecord, view: RequestView) -> None:
    """One line per message."""
    wire = _wire(page, record.turn)
    later = len(page.history) - record.at - 1
    if later == 1:
        st.caption("1 later message (the reply) is hidden.")
    elif later:
        st.caption(f"{later:,} later messages (the reply first) are hidden.")
    turns = page.chat.store.turns(page.session_id) if page.chat is not None else []
    parts = shown_with(page, page.history, turns, record.turn)
    request_rows.draw(request_rows.RowBuilder(view, wire, record.at + 1, parts=parts), page.session_id, "sent")


def _wire(page: Page, turn: Turn | None) -> request_rows.Wire:
    """How the messages of a turn were sent."""
    if turn is not None and turn.recorded is not None:
        return app_request.wire_of(page, turn)
    return request_rows.WireFormat(*_provider_of(page, turn))


def _proof(page: Page, record: RequestRecord) -> None:
    """Whether the request rebuilt from the stored history is the one that was sent."""
    turn = record.turn
    if turn is None:
        return
    if turn.recorded is not None:
        app_request.draw_proof(page, turn)
        return
    try:
        provider, _ = _provider_of(page, turn)
        matches = matches_what_was_sent(turn, page.history, provider)
        request_body.proof(matches, turn.request_sha256, sent=turn.provider != EXAMPLE)
    except ChatError as error:
        st.caption(f"The request cannot be built: {as_markdown(error.what)}")


def _request(page: Page, record: RequestRecord, sizes: MessageSizes) -> None:
    """The request itself; without a record, the one that a service which drops nothing would send."""
    turn = record.turn
    if turn is not None and turn.recorded is not None:
        app_request.draw(page, turn)
        return
    try:
        provider, model = _provider_of(page, turn)
        if turn is None:
            request = ChatRequest(model, tuple(sizes.messages(record)), page.settings.reply_tokens)
            built: SentBody | None = provider.prepare(request)
        else:
            built = rebuild_body(turn, page.history, provider)
        if built is not None:
            recorded = None if turn is None else turn.request_sha256
            is_example = turn is not None and turn.provider == EXAMPLE
            request_body.draw(provider.address(), built.data, built.sha256, recorded, "sent", sent=not is_example)
            edit_request.draw(page, provider, built, "sent")
    except ChatError as error:
        st.caption(f"The request cannot be built: {as_markdown(error.what)}")


def _provider_of(page: Page, turn: Turn | None) -> tuple[Provider, str]:
    """The adapter and the model of a turn; the chat's own, where there is no record of one."""
    if turn is not None and turn.provider == EXAMPLE:
        return ExampleProvider(), turn.model
    settings = page.settings if turn is None else session_settings.defaults(turn.provider)
    provider = services.provider_of(settings, services.key_for(settings.provider))
    return provider, settings.model if turn is None else str(turn.request.get("model", turn.model))


def _without_messages(turn: Turn | None) -> None:
    """A turn that no longer matches the stored messages."""
    assert turn is not None
    why = (
        "its record cannot be read in full"
        if turn.note
        else "it ended before it was decided what to send"
        if turn.plan is None
        else "another service has changed the stored messages since"
    )
    st.info(f"This turn does not match the stored messages: {why}. Its texts are kept.")
    odd_turns.draw([turn])
    if turn.plan is not None:
        plan = turn.plan
        st.caption(
            f"{numbers.plural(plan.sent, 'message')} sent, {plan.left_out:,} not sent; "
            f"{numbers.tokens(plan.input_tokens, plan.provenance)} of {plan.max_tokens:,} tokens."
        )
    for name, text in (("You", turn.prompt), ("Reply", turn.reply)):
        st.markdown(f"**{name}**")
        st.code(request_rows.cut(text), language=None, wrap_lines=True)
