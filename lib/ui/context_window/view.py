"""The context-window page: one request at a time, what was stored, what was sent, what was left out and why.

The rule: looking writes nothing and sends nothing. What another service sent, and what cannot be laid beside the stored messages
any more, is said to be so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st

from lib.analysis.decisions import RequestView, shortfall, view_of_record
from lib.analysis.requests import MessageSizes, RequestRecord, detached, records_of
from lib.chat.rebuild import matches_what_was_sent, rebuild_request
from lib.errors import ChatError
from lib.providers import ChatRequest, Provider
from lib.tokens import PROVENANCE_TEXT
from lib.turns import Turn
from lib.ui.components import message_rows, message_sizes, request_strip
from lib.ui.context_window import difference, find_fact, next_request, request_body, request_rows
from lib.ui.context_window.request_rows import RequestEntry
from lib.ui.format import numbers
from lib.ui.format.text import as_markdown
from lib.ui.shell import menu, services, session
from lib.ui.shell.page import Page

SENT, CHANGED, FIND, NEXT = "What was sent", "What changed", "Find a fact", "Next request"
CHOSEN = "chosen_message"


@dataclass(frozen=True, slots=True)
class ContextWindowView:
    """A session's requests and the one that is looked at, at `place` among them."""

    page: Page
    records: Sequence[RequestRecord]
    entries: Sequence[RequestEntry]
    place: int


def load(page: Page) -> ContextWindowView | None:
    """Put turn records and messages together. None where the page is in trouble, which is said above."""
    if page.chat is None or page.trouble is not None:
        return None
    turns = page.chat.store.turns(page.session_id)
    records = records_of(page.history, turns)
    return ContextWindowView(page, records, request_rows.entries(records, detached(page.history, turns)), -1)


def sections(view: ContextWindowView) -> None:
    """The tabs; only the open one is drawn."""
    if not view.entries:
        _explain_empty(view.page)
        return
    tabs = st.tabs([SENT, CHANGED, FIND, NEXT], key="context_window_tab", on_change="rerun")
    drawn = (_sent, _changed, _find, _next)
    for tab, draw in zip(tabs, drawn, strict=True):
        if tab.open:
            with tab:
                draw(view)


def _sent(view: ContextWindowView) -> None:
    """Pick a request: the takeaway, the strip, the rows, the request itself."""
    view = replace(view, place=request_rows.pick(view.entries))
    entry = view.entries[view.place]
    if entry.record is None:
        _loose(entry.turn)
        return
    sizes = message_sizes.sizes_of(view.page, entry.turn)
    shown = view_of_record(entry.record, sizes, view.page.history)
    st.markdown(takeaway(shown, entry))
    alarm(entry.turn)
    _notes(entry, sizes)
    cached = entry.turn.usage.cached_tokens if entry.turn is not None else None
    request_strip.draw(shown, "sent_strip", cached, session.choose_message)
    _sizes_line(entry, sizes)
    _rows(view, entry, shown)
    _request(view, entry, sizes)


def takeaway(shown: RequestView, entry: RequestEntry) -> str:
    """Example: "**4 of 9 messages were left out,** 1,204 tokens; 5 were sent." """
    if not entry.turn:
        return (
            "**Another service sent this, and nobody recorded what went out.** Shown is what a service that leaves"
            f" nothing out would have sent: {numbers.plural(shown.total, 'message')},"
            f" {numbers.sized(shown.tokens, shown.provenance)}."
        )
    if shown.sent == shown.total:
        return f"**Everything was sent:** all {numbers.plural(shown.total, 'message')}, the new one included."
    gone = shown.total - shown.sent
    was = "was" if gone == 1 else "were"
    return (
        f"**{gone:,} of {shown.total:,} messages {was} left out,** {shown.left_out_tokens:,} tokens; {shown.sent:,}"
        " sent."
    )


def alarm(turn: Turn | None) -> None:
    """Says so where the server read less than it was sent."""
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


def _notes(entry: RequestEntry, sizes: MessageSizes) -> None:
    turn = entry.turn
    if turn is None or turn.plan is None:
        return
    if turn.summarized is not None:
        made = turn.summarized
        read, wrote = (
            numbers.tokens(count, made.provenance) for count in (made.usage.input_tokens, made.usage.output_tokens)
        )
        st.caption(
            f":material/summarize: Before it, {as_markdown(made.model)} wrote a summary: {read} in, {wrote} out, in"
            f" {numbers.plural(made.requests, 'request')}, {numbers.duration(made.duration_ms / 1000)}. It has a bill"
            " of its own."
        )
    if turn.plan.fallback:
        st.caption(turn.plan.fallback)
    if sizes.counter.name != turn.plan.counter:
        st.caption(
            f"When it was sent, {turn.plan.counter} counted, which cannot be asked now: these sizes are another's, and"
            " may not add up to what was decided then."
        )


def _sizes_line(entry: RequestEntry, sizes: MessageSizes) -> None:
    """Who counted, who answered, and what the provider says it read and wrote."""
    words = f"Sizes are tokens by {numbers.by(sizes.counter)}: {PROVENANCE_TEXT[sizes.provenance]}"
    turn = entry.turn
    if turn is not None:
        by = turn.usage_provenance
        counts = (turn.usage.input_tokens, turn.usage.cached_tokens, turn.usage.output_tokens)
        read, cached, wrote = (numbers.tokens(count, by) for count in counts)
        words = (
            f"{as_markdown(turn.provider)} · {as_markdown(turn.model)} · the server read {read}, of that from its cache"
            f" {cached} · wrote {wrote} · ended: {turn.stop_reason or numbers.NOT_REPORTED}  \n{words}"
        )
    st.caption(words)


def _rows(view: ContextWindowView, entry: RequestEntry, shown: RequestView) -> None:
    """The three columns."""
    assert entry.record is not None
    provider, model = _adapter_and_model(view.page, entry.turn)
    chosen = session.chosen_message()
    rows = request_rows.Rows(shown, request_rows.WireFormat(provider, model), entry.record.at + 1)
    page = request_rows.page_of(shown.total, "sent_page", chosen)
    message_rows.draw(rows.drawn(page), "sent_rows", chosen=chosen)
    later = len(view.page.history) - entry.record.at - 1
    if later > 0:
        st.caption(f"{numbers.plural(later, 'message')} came after this one (its reply first) and are not shown.")


def _request(view: ContextWindowView, entry: RequestEntry, sizes: MessageSizes) -> None:
    """The request itself and its proof; of what nobody recorded, the one that a service which leaves nothing out sends."""
    assert entry.record is not None
    provider, model = _adapter_and_model(view.page, entry.turn)
    history, turn = view.page.history, entry.turn
    try:
        if turn is None:
            request = ChatRequest(model, tuple(sizes.messages(entry.record)), view.page.settings.reserved_for_reply)
            request_body.draw(provider, provider.prepare(request), None, "sent")
            return
        request_body.proof(matches_what_was_sent(turn, history, provider), turn.request_sha256)
        rebuilt = rebuild_request(turn, history)
        if rebuilt is not None:
            request_body.draw(provider, provider.prepare(rebuilt), turn.request_sha256, "sent")
    except ChatError as error:
        st.caption(f"The request cannot be built: {error.what}")


def _adapter_and_model(page: Page, turn: Turn | None) -> tuple[Provider, str]:
    """The adapter a request went through; the session's, where nobody recorded it."""
    settings = page.settings if turn is None else services.new_session_settings(turn.provider)
    provider = services.provider_of(settings, services.key_for(settings.provider))
    return provider, settings.model if turn is None else str(turn.request.get("model", turn.model))


def _loose(turn: Turn | None) -> None:
    """A turn without a place among the stored messages."""
    assert turn is not None
    why = (
        "it ended before it was decided what to send"
        if turn.plan is None
        else "the stored messages were changed since, by another service"
    )
    st.info(f"This turn cannot be laid beside the stored messages: {why}. Its texts are kept.")
    if turn.plan is not None:
        plan = turn.plan
        st.caption(
            f"{numbers.plural(plan.sent, 'message')} went out, {plan.left_out:,} were left out; "
            f"{numbers.tokens(plan.input_tokens, plan.provenance)} of {plan.max_tokens:,} tokens."
        )
    for name, text in (("You", turn.prompt), ("Reply", turn.reply)):
        st.markdown(f"**{name}**")
        st.code(request_rows.cut(text), language=None, wrap_lines=True)


def _changed(view: ContextWindowView) -> None:
    difference.draw(view.page, view.entries, request_rows.pick(view.entries))


def _find(view: ContextWindowView) -> None:
    find_fact.draw(view.page, view.records)


def _next(view: ContextWindowView) -> None:
    next_request.draw(view.page)


def _explain_empty(page: Page) -> None:
    """What will be here, and how to get it; and the next request, which can be looked at already."""
    st.info("Nothing was sent yet. Send a message in the chat: what went out, and what was left out, appears here.")
    st.page_link(
        menu.MENU["chat"].path,
        label="To the chat",
        icon=menu.MENU["chat"].icon,
        query_params={"session": page.session_id},
    )
    st.subheader(NEXT, anchor=False)
    next_request.draw(page)
