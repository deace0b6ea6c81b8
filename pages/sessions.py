"""Sessions: all chats in one list, and everything about the one that is open."""

import streamlit as st

from lib.ui import setup
from lib.ui.sessions import open_session, session_list, tabs, undo

page = setup("sessions")
undo.draw()
everything, opened, comparing, replaying = st.tabs(tabs.TABS, key=tabs.TAB, on_change="rerun", bind="query-params")

if everything.open:
    with everything:
        session_list.draw(page)

if opened.open:
    with opened:
        open_session.draw(page)
