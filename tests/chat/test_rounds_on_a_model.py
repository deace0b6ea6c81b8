"""One real model under two settings is two columns, and the smaller window reads less."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lib.analysis.ranking import MEASURES, READ, rank, results_of
from lib.chat.rounds import IDLE, Entrant, Rounds
from lib.chat.service import ChatService
from lib.chat_settings import ChatSettings
from lib.generation import Generation
from lib.history.memory import InMemoryHistory
from lib.pricing.catalogue import find
from lib.providers.llama.process import LocalModel, LocalProvider
from tests.support.waiting import wait_until

SCRIPT = (
    "Repeat after me: The name of my dog is Bruno.",
    "Repeat after me: The door code is 3906.",
    "Repeat after me: The time of my train is 3:30 pm.",
    "What is the name of my dog?",
)


@pytest.mark.model
def test_the_smaller_window_of_one_model_reads_less_and_leaves_messages_out(model: LocalModel) -> None:
    chat = ChatService(InMemoryHistory(3600))
    rounds = Rounds(chat)
    wide = ChatSettings(
        "local", model.name, "Be brief.", 2048, 24, "oldest_first", generation=Generation(temperature=0)
    )
    columns = {"wide": wide, "narrow": replace(wide, max_tokens=72)}
    for name, settings in columns.items():
        chat.store.save_settings(name, settings.to_dict())
    entrants = [Entrant(name, each, lambda _: LocalProvider(model), True) for name, each in columns.items()]
    rounds.ask(entrants, SCRIPT)
    wait_until(lambda: not any(rounds.standing(name).busy for name in columns), "every answer", 120)
    assert [rounds.standing(name) for name in columns] == [IDLE, IDLE]
    turns = {name: list(chat.store.turns(name)) for name in columns}
    assert [[turn.prompt for turn in each] for each in turns.values()] == [list(SCRIPT), list(SCRIPT)]
    ranking = rank(results_of(list(turns.items()), find), MEASURES[READ])
    assert (ranking.results[0].name, ranking.winners) == ("narrow", 1)
    narrow, wide_one = ranking.results
    assert narrow.read is not None
    assert wide_one.read is not None
    assert narrow.read < wide_one.read
    assert narrow.provenances == wide_one.provenances == ("counted",)
    assert (narrow.not_sent > 0, wide_one.not_sent) == (True, 0)
    assert narrow.cost == wide_one.cost == 0
    assert all(turn.request["temperature"] == 0 for each in turns.values() for turn in each)
    chat.close()
