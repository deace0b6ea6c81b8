"""The chat page: the conversation, what the next request will hold, and the box to type in."""

from lib.ui import composer, live, setup, sidebar, transcript, welcome

page = setup("chat")
plan = composer.preview(page)

composer.draw(page, plan)
sidebar.draw(page)

if page.history:
    transcript.draw(page, composer.first_sent(plan))
    transcript.last_exchange_actions(page)
elif page.live is None and page.trouble is None:
    welcome.draw(page)

if page.live is None or page.live.interrupted:
    live.watch(page)
live.draw(page)
