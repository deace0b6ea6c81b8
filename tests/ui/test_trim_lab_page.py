"""The trim lab: every tab on the example and on a stored conversation, and the probe through a real server."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lib.chat.service import ChatService
from lib.context import NO_MARKS, STRATEGIES
from lib.lab.example import EXAMPLE
from lib.lab.facts import Fact, suggest_facts
from lib.lab.recall.grading import Verdict
from lib.lab.recall.plan import Arm, ArmKind
from lib.lab.recall.run import Answer
from lib.lab.recall.standings import by_arm
from lib.tokens.ledger import TokenLedger
from lib.tokens.model_counters import counter_for
from lib.ui.components import cliff_canvas
from lib.ui.shell import services
from lib.ui.trim_lab import facts, recall_grid
from lib.ui.trim_lab.conversation import Lab
from tests.support.app.pages import SESSION, exchange, page, settings
from tests.support.counters import WordCounter
from tests.support.servers.typist import Typist
from tests.support.waiting import wait_until

PATH = "pages/trim_lab.py"


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    given: dict[str, Any] = {}

    def component(data: Mapping[str, Any], key: str) -> None:
        given[key] = data

    monkeypatch.setattr(cliff_canvas, "_COMPONENT", component)
    return given


def opened(tab: str, **state: object) -> AppTest:
    at = page(PATH, state={"lab_tab": tab, **state})
    assert not at.exception, at.exception
    return at


def stored(chat: ChatService) -> None:
    """A conversation that outgrows its window."""
    exchange(chat, "My sister Ines lives in Lisbon.", "Noted.")
    for n in range(6):
        exchange(chat, f"question {n} " + "words that fill the window " * 6, f"answer {n} " + "more words " * 6)
    chat.store.save_settings(SESSION, settings(max_tokens=320, reserved_for_reply=64).to_dict())


@pytest.mark.parametrize(
    "tab",
    [
        "What is lost at which budget?",
        "Which strategy loses least?",
        "Does the model still know?",
        "What does trimming cost?",
        "Open a report",
    ],
)
def test_every_tab_works_on_the_example_and_sends_nothing(
    chat: ChatService, drawn: dict[str, Any], typist: Typist, tab: str
) -> None:
    at = opened(tab)
    assert any(f"**{len(EXAMPLE)} messages" in markdown.value for markdown in at.markdown)
    assert typist.requests == []
    assert list(chat.store.load(SESSION)) == []


def test_the_cliff_map_holds_every_message_at_every_budget(chat: ChatService, drawn: dict[str, Any]) -> None:
    stored(chat)
    at = opened("What is lost at which budget?")
    data = drawn[f"cliff:{SESSION}"]
    assert data["size"] == 14
    for row in data["rows"]:
        assert [at for start, stop, _ in row["runs"] for at in range(start, stop)] == list(range(14))
    assert data["messages"][0]["fact"]
    assert data["messages"][0]["text"] == "My sister Ines lives in Lisbon."
    assert any("The first message is sent from" in markdown.value for markdown in at.markdown)
    everything = data["rows"][-1]
    kinds = {fate["key"]: fate["sent"] for fate in data["fates"]}
    assert all(kinds[kind] for _, _, kind in everything["runs"])


def test_the_map_follows_the_strategy_and_its_options(chat: ChatService, drawn: dict[str, Any]) -> None:
    stored(chat)
    at = opened("What is lost at which budget?")
    at.selectbox(key=f"lab_cliff:{SESSION}:strategy").select("sliding_window").run()
    at.number_input(key=f"lab_cliff:{SESSION}:last_exchanges").set_value(2).run()
    assert {kind for _, _, kind in drawn[f"cliff:{SESSION}"]["rows"][-1]["runs"]} == {"outside_window", "sent"}
    assert chat.store.about(SESSION).settings["strategy"] == "oldest_first"


def test_a_rerun_does_not_move_the_line(chat: ChatService, drawn: dict[str, Any]) -> None:
    stored(chat)
    opened("What is lost at which budget?")
    first = drawn[f"cliff:{SESSION}"]["stamp"]
    opened("What is lost at which budget?")
    assert drawn[f"cliff:{SESSION}"]["stamp"] == first


def test_the_bake_off_compares_strategies_and_windows(chat: ChatService) -> None:
    stored(chat)
    at = opened("Which strategy loses least?", **{"table:bake-off": True})
    totals = at.dataframe[-1].value
    assert list(totals["strategy"]) == [
        STRATEGIES[name].short for name in ("low_water", "oldest_first", "head_and_tail", "sliding_window")
    ]
    assert (totals["uncached"] == totals["tokens sent"] - totals["from the cache"]).all()
    table = at.dataframe[0].value
    assert "lost at turn" in table.iloc[0][STRATEGIES["oldest_first"].short]
    at.multiselect(key=f"bake_windows:{SESSION}").set_value([320, 1024]).run()
    assert any("8 combinations; the first 6" in caption.value for caption in at.caption)
    at.pills(key=f"bake_strategies:{SESSION}").set_value(["none"]).run()
    at.multiselect(key=f"bake_windows:{SESSION}").set_value([320]).run()
    assert any("at least two" in info.value for info in at.info)


def test_the_strips_show_the_turn_that_is_chosen(chat: ChatService) -> None:
    stored(chat)
    at = opened("Which strategy loses least?")
    at.slider(key=f"bake_turn:{SESSION}").set_value(1).run()
    (label,) = [markdown.value for markdown in at.markdown if "of 320 tokens" in markdown.value]
    assert label.startswith("**Batch, Oldest first, Ends and Last N send the same** · ")
    assert "dropped" not in label
    at.slider(key=f"bake_turn:{SESSION}").set_value(7).run()
    labels = [markdown.value for markdown in at.markdown if "of 320 tokens" in markdown.value]
    assert len(labels) > 1
    assert all("messages dropped" in label for label in labels)


class PlanCounter(WordCounter):
    """Counts how often a request is planned or measured: either needs the size of the chat template."""

    def __init__(self) -> None:
        self.uses = 0

    def template(self, has_system: bool) -> int:
        self.uses += 1
        return super().template(has_system)


@pytest.fixture
def counter(chat: ChatService, monkeypatch: pytest.MonkeyPatch) -> PlanCounter:
    counting = PlanCounter()
    monkeypatch.setattr(services, "counter_of", lambda settings, provider=None: counting)
    return counting


def test_moving_the_turn_slider_replays_nothing(chat: ChatService, counter: PlanCounter) -> None:
    stored(chat)
    at = opened("Which strategy loses least?")
    replayed = counter.uses
    assert replayed >= 4 * 7  # four strategies, seven turns
    at.run()
    every_rerun = counter.uses - replayed  # the line at the top plans the next request
    assert every_rerun < 4
    for turn in (2, 5):
        at.slider(key=f"bake_turn:{SESSION}").set_value(turn).run()
        assert not at.exception
    assert counter.uses == replayed + 3 * every_rerun


def test_other_strategies_or_a_new_message_replay_the_conversation(chat: ChatService, counter: PlanCounter) -> None:
    stored(chat)
    at = opened("Which strategy loses least?")
    at_first = counter.uses
    at.pills(key=f"bake_strategies:{SESSION}").set_value(["low_water", "none"]).run()
    after_choice = counter.uses
    assert after_choice > at_first
    exchange(chat, "one more question", "one more answer")
    at.run()
    assert counter.uses > after_choice
    assert at.slider(key=f"bake_turn:{SESSION}").max == 8


def test_the_costs_tab_compares_both_strategies_in_numbers(chat: ChatService) -> None:
    stored(chat)
    at = opened("What does trimming cost?")
    assert any("times as many uncached tokens" in markdown.value for markdown in at.markdown)


def test_measuring_sends_both_strategies_and_stores_nothing(chat: ChatService, typist: Typist) -> None:
    stored(chat)
    before = list(chat.store.load(SESSION))
    at = opened("What does trimming cost?")
    at.button(key="measure").click().run()
    assert len(typist.requests) == 12
    assert any("First token after" in markdown.value for markdown in at.markdown)
    assert list(chat.store.load(SESSION)) == before


def test_the_probe_estimates_then_asks_grades_and_shows_every_answer(chat: ChatService, typist: Typist) -> None:
    stored(chat)
    at = opened("Does the model still know?")
    estimate = next(markdown.value for markdown in at.markdown if "requests," in markdown.value)
    assert typist.requests == []
    at.button(key="probe_start").click().run()
    probe = next(iter(services.probes().values()))
    wait_until(probe.done.is_set)
    at.run()
    fitting = [question for question in probe.questions if question.fits]
    assert f"**{len(fitting)} requests," in estimate
    assert len(typist.requests) == len(fitting)
    grid = at.dataframe[-1].value
    assert grid.columns[-2:].tolist() == ["everything", "nothing"]
    assert grid.iloc[0]["nothing"] == "✗ made up (not sent)"
    sentence = next(
        each.value for each in at.markdown if "For comparison: with everything sent no answer" in each.value
    )
    assert sentence.startswith("**There is no answer with everything sent, so no strategy can be judged.**")
    assert not any("Best: " in each.value for each in at.markdown)
    assert len(chat.store.load(SESSION)) == 14


def test_a_probe_can_be_stopped(chat: ChatService, typist: Typist) -> None:
    stored(chat)
    typist.words, typist.seconds_per_word = 200, 0.02
    at = opened("Does the model still know?")
    at.button(key="probe_start").click().run()
    probe = next(iter(services.probes().values()))
    wait_until(lambda: typist.requests)
    at.button(key="probe_stop").click().run()
    assert probe.done.is_set()
    assert any("stopped before" in info.value for info in at.info)


def test_questions_can_be_edited_and_incomplete_rows_are_ignored(chat: ChatService) -> None:
    stored(chat)
    history = chat.store.load(SESSION)
    page_now = type("P", (), {"chat": chat, "session_id": SESSION})()
    lab = Lab(page_now, history, None, NO_MARKS)  # type: ignore[arg-type]  # only the history is looked at
    rows: list[dict[str, Any]] = [
        {"message": 1, "question": "Where?", "answer": "Lisbon", "ask": True},
        {"message": 1, "question": "Where?", "answer": "Lisbon", "ask": False},
        {"message": 99, "question": "Where?", "answer": "Lisbon", "ask": True},
        {"message": None, "question": "Where?", "answer": "Lisbon", "ask": True},
        {"message": float("nan"), "question": "Where?", "answer": "Lisbon", "ask": True},
        {"message": 1, "question": " ", "answer": "Lisbon", "ask": True},
    ]
    assert [(fact.index, fact.answer) for fact in facts.facts_of(rows, lab)] == [(0, "Lisbon")]


def test_another_conversation_is_opened_from_the_list(chat: ChatService, drawn: dict[str, Any]) -> None:
    stored(chat)
    exchange(chat, "another talk. Really?", "yes", session_id="other-session")
    at = opened("What is lost at which budget?")
    assert "another talk. Really?" in at.selectbox(key=f"lab_session:{SESSION}").options
    at.selectbox(key=f"lab_session:{SESSION}").select("other-session").run()
    assert at.query_params["session"] == "other-session"
    assert drawn["cliff:other-session"]["size"] == 2


def test_the_example_outgrows_its_window_and_has_facts() -> None:
    assert EXAMPLE[0].role == "user"
    assert [message.role for message in EXAMPLE] == ["user", "assistant"] * (len(EXAMPLE) // 2)
    assert len({fact.index for fact in suggest_facts(EXAMPLE)}) >= 4
    assert TokenLedger(counter_for("openai", "gpt-5")).sync(EXAMPLE).sums[-1] > 1024


def test_a_strategy_is_not_a_control_whatever_its_name() -> None:
    fact = Fact(0, "The code is 4711.", "What is the code?", "4711")
    arms = [Arm("everything else", settings()), Arm("the whole history", settings(), "everything")]
    answers = [Answer(fact, arm.name, 1, True, "4711", "recalled") for arm in arms]
    sentence = recall_grid.takeaway(by_arm(answers, arms))
    assert sentence.startswith(
        "**Best: “everything else”, 1 of 1 recalled.** For comparison: with the whole history sent"
    )


def answered(name: str, *right: bool) -> list[Answer]:
    """One answer of this arm to each of several questions."""
    return [
        Answer(Fact(n, f"Code {n} is {n}.", f"What is code {n}?", str(n)), name, 1, held, "", VERDICTS[held])
        for n, held in enumerate(right)
    ]


VERDICTS: dict[bool, Verdict] = {True: "recalled", False: "made_up"}


def probe_sentence(*columns: tuple[str, ArmKind, tuple[bool, ...]]) -> str:
    arms = [Arm(name, settings(), kind) for name, kind, _ in columns]
    answers = [answer for name, _, right in columns for answer in answered(name, *right)]
    return recall_grid.takeaway(by_arm(answers, arms))


def test_no_strategy_wins_where_the_model_cannot_answer_with_everything_sent() -> None:
    sentence = probe_sentence(
        ("Ends", "plan", (True, False, False)),
        ("everything", "everything", (False, False, False)),
        ("nothing", "nothing", (False, False, False)),
    )
    assert "Best" not in sentence
    assert sentence.startswith(
        "**This model cannot answer these questions even with everything sent, so the rest means nothing.** Choose a"
    )
    assert "For comparison: with everything sent 0 of 3, with nothing sent 0 of 3." in sentence


def test_only_questions_that_need_the_conversation_and_can_be_answered_are_judged() -> None:
    sentence = probe_sentence(
        ("Ends", "plan", (False, True, True, False)),
        ("Batch", "plan", (True, False, False, True)),
        ("everything", "everything", (True, True, True, False)),
        ("nothing", "nothing", (True, False, False, False)),
    )
    assert sentence.startswith("**Best: “Ends”, 2 of 2 recalled.** Not judged: 1 question it cannot answer even with")
    assert "1 question it answers with nothing sent." in sentence


def test_a_draw_is_called_a_draw_and_an_unanswered_control_judges_nobody() -> None:
    everything: tuple[str, ArmKind, tuple[bool, ...]] = ("everything", "everything", (True, True))
    draw = probe_sentence(("Ends", "plan", (True, False)), ("Batch", "plan", (False, True)), everything)
    assert draw.startswith("**All strategies recall the same: 1 of 2.**")
    two_of_three = probe_sentence(
        ("A", "plan", (True, False)), ("B", "plan", (False, True)), ("C", "plan", (False, False)), everything
    )
    assert two_of_three.startswith("**Best: “A” and “B”, 1 of 2 recalled each.**")
    none = probe_sentence(("A", "plan", (False, False)), everything)
    assert none.startswith("**No strategy recalls any of them")
    assert "no strategy can be judged" in probe_sentence(("A", "plan", (True, True)))


def test_messages_on_the_map_are_set_as_text_never_as_html() -> None:
    script = Path(cliff_canvas.__file__).with_name("view.js").read_text(encoding="utf-8")
    assert "innerHTML" not in script
    assert "textContent" in script
