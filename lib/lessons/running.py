"""Carries out a lesson's experiment with a real model. Its chats are kept in memory only, and nothing of a person's own
chats is read or changed.
"""

from __future__ import annotations

import uuid
from dataclasses import replace

from lib.chat.request_reader import ProviderOpener
from lib.chat.rounds import Entrant, Rounds
from lib.chat.service import ChatService, CounterOpener
from lib.chat_settings import ChatSettings
from lib.generation import OFF
from lib.history import Recording
from lib.history.memory import InMemoryHistory
from lib.lessons import Arm, Lesson
from lib.lessons.outcomes import Outcome

KEPT_SECONDS = 24 * 60 * 60
SOURCE = "a lesson"
"""Where the messages say they came from that an arm is given."""


def settings_for(arm: Arm, own: ChatSettings) -> ChatSettings:
    """A person's model with the arm's window, strategy and system prompt.

    The model on this machine replies in the arm's reserve. Others may think before they answer, so they keep their own,
    and the window grows by the difference: a request holds as many tokens as the lesson says.
    """
    reserve = arm.reserve if own.provider == "local" else max(arm.reserve, own.reply_tokens)
    in_window = own.in_window(arm.window - arm.reserve + reserve, reserve)
    return replace(in_window, system_prompt=arm.system_prompt, strategy=arm.strategy, generation=OFF)


class LessonRun:
    """One run of an experiment. Safe to read from any thread. What it costs counts where `open_provider` says so.

    Example: run = LessonRun(lesson, settings, opener, services.counter_of); run.start(); run.outcomes()
    """

    def __init__(
        self,
        lesson: Lesson,
        own: ChatSettings,
        open_provider: ProviderOpener,
        counter_of: CounterOpener,
        *,
        on_this_machine: bool = True,
    ) -> None:
        self.lesson = lesson
        self.own = own
        self._chat = ChatService(InMemoryHistory(KEPT_SECONDS), counter_of)
        self._rounds = Rounds(self._chat)
        self._entrants = [
            Entrant(f"lesson-{uuid.uuid4().hex}", settings_for(arm, own), open_provider, on_this_machine)
            for arm in lesson.arms
        ]

    def start(self) -> None:
        """Store what each arm is given, and begin to ask."""
        for arm, entrant in zip(self.lesson.arms, self._entrants, strict=True):
            settings = entrant.settings.to_dict()
            self._chat.store.save_settings(entrant.session_id, settings)
            if arm.given:
                given = Recording(arm.name, arm.given, (), settings, SOURCE)
                self._chat.store.restore(entrant.session_id, given)
            self._rounds.ask([entrant], arm.prompts)

    def retry(self) -> None:
        """Ask again where an arm did not go on."""
        for entrant in self._entrants:
            if self._rounds.standing(entrant.session_id).error is not None:
                self._rounds.retry(entrant)

    def stop(self) -> None:
        """Ask nothing more."""
        for entrant in self._entrants:
            self._rounds.stop(entrant.session_id)

    def close(self) -> None:
        """Stop for good. For a run that makes room for another one."""
        self._rounds.close()
        self._chat.close()

    @property
    def is_running(self) -> bool:
        """Whether something is being asked, or waits for that."""
        return any(self._rounds.standing(each.session_id).busy for each in self._entrants)

    def outcomes(self) -> tuple[Outcome, ...]:
        """Each arm so far, in the lesson's order."""
        return tuple(map(self._outcome, self.lesson.arms, self._entrants))

    def _outcome(self, arm: Arm, entrant: Entrant) -> Outcome:
        session_id, store = entrant.session_id, self._chat.store
        live = self._chat.live(session_id)
        return Outcome(
            arm,
            tuple(store.load(session_id)),
            tuple(store.turns(session_id)),
            live if live is not None and not live.interrupted else None,
            self._rounds.standing(session_id).error,
        )
