"""What the first page offers to people who have not typed anything yet: an example conversation and a demonstration.

The example is a week in Lisbon in forty turns, in a window too small for it. Its prompts and replies are in lisbon.txt,
written by hand; lib/example/make.py plays them through the real turn and writes lisbon.json, which the app opens.
"""

from lib.history import About

SOURCE = "the example, whose replies were written by hand"
"""The source of the import by which a stored copy of the example is known."""


def is_example(about: About) -> bool:
    """Whether a session began as a copy of the example."""
    return any(each.source == SOURCE and each.first == 0 for each in about.imports)
