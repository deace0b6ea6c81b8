"""A report of the trim lab, made by the lab's own functions from a short conversation."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from lib.analysis.requests import MessageSizes
from lib.chat_settings import ChatSettings
from lib.context import Marks
from lib.errors import WrongKey
from lib.lab.bakeoff import Contestant, bake_off, replay_all
from lib.lab.break_points import markers
from lib.lab.cliff_map import cliff_map
from lib.lab.facts import suggest_facts
from lib.lab.recall.plan import Arm
from lib.lab.recall.run import Answer
from lib.lab.report.report import Cliffs, Recall, Report, ReportHeader
from lib.messages import Usage, assistant, user
from lib.pricing import catalogue
from lib.ui.chat.welcome import CODE, DOG
from tests.support.cases.planning_cases import Case
from tests.support.counters import WordCounter

WORDS = WordCounter()
SETTINGS = ChatSettings("openai", "gpt-6-luna", "Be brief.", 200, 40, "oldest_first")
CONTESTANTS = [Contestant("few", SETTINGS), Contestant("all", replace(SETTINGS, strategy="none"))]
TALK = [user(CODE), assistant("Very well."), user(DOG), assistant("Lovely!")] + [
    user("so"),
    assistant("word " * 90),
] * 9


def real_report() -> Report:
    """A report with a cliff map, a bake-off, and a recall probe with one failed and one right answer."""
    sizes = MessageSizes(WORDS, TALK)
    found = tuple(suggest_facts(TALK))
    marked = [fact.index for fact in found]
    case = Case(TALK, counter=WORDS)
    made = cliff_map(case.candidates(), "low_water", (50, 100, 1000))
    wrong = Answer(found[0], "few", 1, False, error=WrongKey("The key was refused.").to_dict())
    right = Answer(found[0], "all", 1, True, "It is 4711.", "recalled", Usage(40, 0, None, 5), Decimal("0.000010"))
    return Report(
        ReportHeader.now(TALK, Marks.of([2], [0])),
        found,
        (Cliffs(CONTESTANTS[0], "words", "counted", made, tuple(markers(made, case.candidates(), marked))),),
        bake_off(replay_all(TALK, CONTESTANTS, lambda _: sizes), catalogue.find, marked),
        Recall((Arm("few", SETTINGS), Arm("all", SETTINGS, "everything")), (wrong, right), 2),
        {"said": "an “odd” note"},
    )
