"""The context-window page: a request at a glance, a lost fact, every message, what changed, what comes next."""

import streamlit as st

from lib.ui import setup
from lib.ui.context_window import difference, find_fact, next_request, request_picker, sent_request
from lib.ui.context_window.tabs import CHANGED, FIND, NEXT, SENT
from lib.ui.record import watch
from lib.ui.shell import session

page = setup("context_window")
requests = request_picker.load(page)
watch.draw(page)

if requests:
    place = request_picker.pick(requests)
    sent_request.draw_head(page, requests[place])
    session.start_widget(session.CONTEXT_WINDOW_TAB, SENT if session.turn_in_url() else FIND)
    tabs = st.tabs([FIND, SENT, CHANGED, NEXT], key=session.CONTEXT_WINDOW_TAB, on_change="rerun", bind="query-params")
    if tabs[0].open:
        with tabs[0]:
            find_fact.draw(page, requests)
    if tabs[1].open:
        with tabs[1]:
            sent_request.draw(page, requests[place])
    if tabs[2].open:
        with tabs[2]:
            difference.draw(page, requests, place)
    if tabs[3].open:
        with tabs[3]:
            next_request.draw(page)
elif requests is not None:
    sent_request.explain_empty(page)
    st.subheader(NEXT, anchor=False)
    next_request.draw(page)
