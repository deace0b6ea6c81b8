"""Lessons: predict what a model will do, watch it, see why, and try it."""

from lib.ui import setup
from lib.ui.lessons import index, steps

page = setup("lessons")
library = index.load()
lesson = index.opened(library)
if lesson is None:
    index.draw(library)
else:
    steps.draw(page, lesson)
