"""Sessions: all chats in one list, and everything about the one that is open."""

import streamlit as st

from lib.ui import setup
from lib.ui.sessions import actions, export, foreign_list, session_list, tabs, undo
from lib.ui.sessions.opened import tab
from lib.ui.sessions.variants import compare, replay
from lib.ui.shell import services
from lib.ui.transfer import import_panel

page = setup("sessions")
undo.draw()
everything, opened, comparing, replaying, importing, exporting, elsewhere = st.tabs(
    tabs.TABS, key=tabs.TAB, on_change="rerun", bind="query-params"
)

if everything.open:
    with everything:
        session_list.draw(page)

if opened.open:
    with opened:
        tab.draw(page)

if comparing.open:
    with comparing:
        compare.draw(page)

if replaying.open:
    with replaying:
        replay.draw(page)

if importing.open:
    with importing:
        import_panel.draw(page, services.asking().id, actions.open_here)

if exporting.open:
    with exporting:
        export.draw(page)

if elsewhere.open:
    with elsewhere:
        foreign_list.draw(page)
