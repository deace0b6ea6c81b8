"""The chat page: the conversation, what the next request will hold, and the box to type in."""

from lib.ui import composer, live, setup, sidebar, transcript, welcome

page = setup("chat")
plan = composer.preview(page)

composer.draw(page, plan)
welcome.draw(page)
transcript.draw(page, composer.first_sent(plan))
welcome.follow_up(page)
sidebar.draw(page)
live.watch(page)
live.draw(page)
