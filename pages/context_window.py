"""The context-window page: what each request held, what changed, where a fact was lost, what comes next."""

import streamlit as st

from lib.ui import setup
from lib.ui.context_window import difference, find_fact, next_request, request_picker, sent_request
from lib.ui.context_window.tabs import CHANGED, FIND, NEXT, SENT
from lib.ui.shell import session

page = setup("context_window")
requests = request_picker.load(page)

if requests:
    tabs = st.tabs([SENT, CHANGED, FIND, NEXT], key=session.CONTEXT_WINDOW_TAB, on_change="rerun")
    if tabs[0].open:
        with tabs[0]:
            place = request_picker.pick(requests)
            sent_request.draw(page, requests[place])
    if tabs[1].open:
        with tabs[1]:
            place = request_picker.pick(requests)
            difference.draw(page, requests, place)
    if tabs[2].open:
        with tabs[2]:
            find_fact.draw(page, requests)
    if tabs[3].open:
        with tabs[3]:
            next_request.draw(page)
elif requests is not None:
    sent_request.explain_empty(page)
    st.subheader(NEXT, anchor=False)
    next_request.draw(page)
