"""The chat page: the conversation, the next request, and the box to type in. It also starts the server."""

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

if (
    get_script_run_ctx(suppress_warning=True) is None
):  # `streamlit run` starts the server here; later runs draw the page
    from lib.ui.shell import http_routes
    from lib.ui.shell.launcher import warm_up

    app = st.App(__file__, lifespan=warm_up, routes=http_routes.routes(), middleware=http_routes.middleware())
else:
    from lib.ui import setup
    from lib.ui.chat import clear_chat, composer, forgetting, live_turn, settings_panel, sharing, transcript, welcome
    from lib.ui.components import prompt_focus
    from lib.ui.people import people_line
    from lib.ui.shell import frame, sidebar
    from lib.ui.shell.next_plan import preview

    page = setup("chat")
    plan = preview(page)
    demonstration = forgetting.go_on(page, plan)

    frame.draw(page, plan, "chat")
    composer.draw(page, plan, demonstration)
    welcome.draw(page)
    transcript.draw(page, plan, demonstration.notes if demonstration else {})
    welcome.follow_up(page)
    settings_panel.draw(page)
    sharing.draw(page)
    sidebar.list_chats(page)
    clear_chat.draw(page)
    people_line.draw()
    prompt_focus.draw(page.session_id)
    live_turn.watch(page)
    live_turn.draw(page)
