"""Tokens and money: how each request grew, who counted it, and what it cost."""

import streamlit as st

from lib.ui import setup
from lib.ui.tokens import counters, headline, inside, money, requests, sent_requests

page = setup("tokens")
sent = sent_requests.load(page)

if sent is not None:
    headline.draw(sent)

    by_request, who_counted, costs, tokens_of_a_text = st.tabs(
        ["Request by request", "Who counted", "Money", "Inside a message"],
        key="tokens_tab",
        on_change="rerun",
        bind="query-params",
    )
    if by_request.open:
        with by_request:
            requests.draw(sent)
    if who_counted.open:
        with who_counted:
            counters.draw(sent)
    if costs.open:
        with costs:
            money.draw(sent)
    if tokens_of_a_text.open:
        with tokens_of_a_text:
            inside.draw(page)
