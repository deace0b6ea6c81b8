"""Models side by side: the same messages to two to four models or settings, and which one does best."""

import streamlit as st

from lib.ui import setup
from lib.ui.compare import ask, column, columns, intro, rules, setup_row, verdict, voting

page = setup("compare")
if page.chat is None:
    st.stop()

intro.draw()
found = column.load()
if found:
    settings = [each.page.settings for each in found]
    ask.draw(page, found, settings)
    if all(each.name for each in found):
        verdict.draw(found)
    voting.draw(found)
    columns.draw(found)
else:
    settings = setup_row.draw(page)
    ask.draw(page, found, settings)
if not found or all(each.name for each in found):
    rules.draw(settings)
voting.tally()
