"""The chat page: the conversation, the next request, and the box to type in. It also starts the server."""

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

if (
    get_script_run_ctx(suppress_warning=True) is None
):  # `streamlit run` starts the server here; later runs draw the page
    from lib.ui.shell.launcher import warm_up

    app = st.App(__file__, lifespan=warm_up)
else:
    from lib.ui import setup
    from lib.ui.chat import composer, forgetting, live_turn, sidebar, transcript, welcome

    page = setup("chat")
    plan = composer.preview(page)
    demonstration = forgetting.go_on(page, plan)

    composer.draw(page, plan, demonstration)
    welcome.draw(page)
    transcript.draw(page, composer.first_sent(plan), demonstration.notes if demonstration else {})
    welcome.follow_up(page)
    sidebar.draw(page)
    live_turn.watch(page)
    live_turn.draw(page)
