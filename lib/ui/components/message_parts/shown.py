"""What the parts of a chat's messages are shown with: a tokenizer, names of tools, how often each was sent again."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from lib.analysis.parts.sent_again import times_sent_again
from lib.message_parts import is_plain
from lib.messages import Message
from lib.tokens.model_counters import counter_for
from lib.turns import Turn
from lib.ui.components.message_parts.views import PartView, Shown
from lib.ui.shell import services
from lib.ui.shell.page import Page


def shown_with(
    page: Page, messages: Sequence[Message], turns: Collection[Turn], answered: Turn | None = None
) -> Shown | None:
    """What the parts of these messages are shown with; None if all of them are texts alone.

    Their tokens are those of the nearest tokenizer of the chat's model, or of the turn that `answered`, so that no
    server is asked. Where no turn was recorded, nobody knows how often anything was sent.
    """
    if all(map(is_plain, messages)):
        return None
    settings = page.settings
    provider, model = (settings.provider, settings.model) if answered is None else (answered.provider, answered.model)
    counter = counter_for(services.endpoint(provider).kind, model)
    return Shown.of(messages, counter, times_sent_again(turns, len(page.history)) if turns else ())


def views_of(entry: Message, shown: Shown | None, index: int) -> list[PartView] | None:
    """The parts of a stored message; None if it is a text alone."""
    return None if shown is None or is_plain(entry) else shown.views(entry, index)
