"""A report is read as it was written, and a file that is not a report is refused in a sentence."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.chat_settings import ChatSettings
from lib.context import STRATEGIES
from lib.errors import ChatError, ImportRefused
from lib.lab.bakeoff import BakeOff, Contestant, ContestantRun, TurnResult
from lib.lab.break_points import markers
from lib.lab.cliff_map import cliff_map
from lib.lab.facts import Fact
from lib.lab.recall.plan import Arm
from lib.lab.recall.run import Answer
from lib.lab.report.plain_json import plain, typed
from lib.lab.report.report import Cliffs, Recall, Report, ReportHeader, history_sha256, read, versions, write
from lib.messages import Message, Usage, user
from tests.support.cases.conversations import texts
from tests.support.cases.lab_reports import SETTINGS, TALK, real_report
from tests.support.cases.planning_cases import Case, cases

FIRST_VERSION = Path(__file__).parents[1] / "data/reports/first_version.json"

whole = st.integers(-(2**70), 2**70)
seconds = st.floats(allow_nan=False, allow_infinity=False)
words = st.text(max_size=20) | texts
money = st.none() | st.decimals(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | whole | seconds | words,
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(words, parts, max_size=3),
    max_leaves=6,
)
facts = st.builds(Fact, whole, words, words, words)
settings = st.builds(ChatSettings, words, words, words, whole, whole, words, whole, whole, seconds)
contestants = st.builds(Contestant, words, settings)
usages = st.builds(Usage, *[st.none() | whole] * 6)
answers = st.builds(
    Answer,
    facts,
    words,
    whole,
    st.booleans(),
    words,
    st.sampled_from(["recalled", "admitted", "made_up", None]),
    usages,
    money,
    st.none() | st.dictionaries(words, json_values, max_size=3),
)
recalls = st.builds(
    Recall,
    st.lists(st.builds(Arm, words, settings, st.sampled_from(["plan", "everything", "nothing"])), max_size=2).map(
        tuple
    ),
    st.lists(answers, max_size=3).map(tuple),
    whole,
    words,
)
steps = st.builds(
    TurnResult,
    whole,
    whole,
    whole,
    whole,
    whole,
    whole,
    whole,
    st.booleans(),
    st.tuples(st.sampled_from([True, False, None])),
    money,
)
runs = st.builds(
    ContestantRun, contestants, words, st.sampled_from(["counted", "estimated"]), st.lists(steps, max_size=3).map(tuple)
)
bake_offs = st.builds(BakeOff, st.tuples(whole), st.lists(runs, max_size=2).map(tuple))
headers = st.builds(
    ReportHeader,
    words,
    whole,
    seconds,
    st.dictionaries(words, words, max_size=3),
    words,
    st.lists(whole, max_size=2).map(tuple),
)


@st.composite
def cliffs(draw: st.DrawFn) -> Cliffs:
    case: Case = draw(cases())
    made = cliff_map(case.candidates(), draw(st.sampled_from(sorted(STRATEGIES))), (5, 50, 500))
    return Cliffs(draw(contestants), "words", "counted", made, tuple(markers(made, case.candidates())))


reports = st.builds(
    Report,
    headers,
    st.lists(facts, max_size=2).map(tuple),
    st.lists(cliffs(), max_size=2).map(tuple),
    st.none() | bake_offs,
    st.none() | recalls,
    st.dictionaries(words, words, max_size=2),
)


def test_a_real_report_is_read_as_it_was_written() -> None:
    report = real_report()
    text = write(report)
    assert text.isascii()
    assert read(text) == read("\ufeff" + text) == report
    stored = json.loads(text)
    assert (stored["format"], stored["version"]) == ("windowseat trim lab", 1)
    assert stored["about"]["versions"]["windowseat"].count(".") == 2
    assert stored["about"]["history_sha256"] == history_sha256(TALK)
    assert "genai-prices" in stored["about"]["prices"]
    assert stored["bake_off"]["courses"][0]["counter"] == "words"
    assert stored["recall"]["answers"][1]["cost"] == "0.000010"


@given(reports)
def test_any_report_is_read_as_it_was_written(report: Report) -> None:
    assert read(write(report)) == report


@given(reports, st.data())
def test_a_changed_report_is_read_or_refused_in_a_sentence(report: Report, data: st.DataObject) -> None:
    stored = json.loads(write(report))
    holder: Any = stored
    while True:
        places = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        place = data.draw(st.sampled_from(places))
        inner = holder[place]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
            break
        holder = inner
    holder[place] = data.draw(json_values)
    refusal = refusal_of(json.dumps(stored))
    assert refusal is None or refusal.endswith(".")


def refusal_of(text: str) -> str | None:
    """Why a text is refused; None if it is read."""
    try:
        read(text)
    except ImportRefused as refused:
        return refused.what
    return None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it is not JSON"),
        ("{", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ("null", "not a report"),
        ("[]", "not a report"),
        ("{}", "not a report"),
        ('{"format": "windowseat trim lab"}', "version None"),
        ('{"format": "windowseat trim lab", "version": 2}', "version 2, and only version 1"),
        ('{"format": "windowseat trim lab", "version": 1}', "the report.about is missing"),
        ('{"format": "windowseat trim lab", "version": NaN}', "not JSON"),
        ('{"format": "x", "version": 1e999}', "not JSON"),
        ('{"format": "windowseat trim lab", "version": ' + "9" * 5000 + "}", "not JSON"),
    ],
)
def test_a_file_that_is_not_a_report_is_refused(text: str, message: str) -> None:
    with pytest.raises(ImportRefused, match=message):
        read(text)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("about", "messages"), True, "the report.about.messages must be a whole number"),
        (("about", "made_at"), "now", "the report.about.made_at must be a number"),
        (("about", "made_at"), 10**400, "must be a number"),
        (("about", "versions"), [], "versions must be an object"),
        (("about", "muted"), [1.5], r"muted\[0\] must be a whole number"),
        (("facts",), {}, "facts must be a list"),
        (("facts", 0, "answer"), None, r"facts\[0\].answer must be a text"),
        (("facts", 0, "more"), 1, "holds 'more', which is not known"),
        (("cliffs", 0, "markers", 0, "kind"), "ghost", "must be one of fact"),
        (("cliffs", 0, "made", "rows", 0, "runs", 0), [0, 1, True], "must hold 4 values"),
        (("cliffs", 0, "made", "rows", 0, "runs", 0), [0, 999, True, "fits"], "do not follow each other"),
        (("cliffs", 0, "made", "budgets"), [1, 2, 3], "do not match"),
        (("bake_off", "facts"), [], "have other facts than the bake-off"),
        (("recall", "answers", 1, "cost"), "much", "must be an amount"),
        (("recall", "answers", 1, "cost"), "NaN", "must be an amount"),
        (("recall", "answers", 1, "cost"), 0.1, "must be an amount"),
        (("recall", "answers", 1, "verdict"), "nice", "must be one of recalled, admitted, made_up"),
    ],
)
def test_a_refusal_names_the_place(path: tuple[Any, ...], value: Any, message: str) -> None:
    stored = json.loads(write(real_report()))
    holder = stored
    for place in path[:-1]:
        holder = holder[place]
    holder[path[-1]] = value
    with pytest.raises(ImportRefused, match=message):
        read(json.dumps(stored))


def test_a_report_has_no_field_for_a_key() -> None:
    names: set[str] = set()

    def collect(value: Any) -> None:
        if isinstance(value, dict):
            names.update(value)
        for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            collect(part)

    collect(json.loads(write(real_report())))
    assert not [name for name in names if any(word in name.lower() for word in ("key", "secret", "auth", "password"))]
    assert not [field for field in fields(ChatSettings) if "key" in field.name]


def test_the_hash_changes_with_the_stored_messages() -> None:
    assert history_sha256([]) == "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"
    assert history_sha256([user("a")]) != history_sha256([user("b")]) != history_sha256([user("b"), user("b")])
    assert len(history_sha256([Message("user", "a cut one \ud83d"), Message("assistant", None, {}, False)])) == 64
    assert versions()["tiktoken"]


def test_values_become_plain_and_typed_again() -> None:
    assert plain(Contestant("a", SETTINGS))["settings"]["low_mark"] == 0.7
    assert typed(float, 1, "it") == 1.0
    assert typed(tuple[int, ...], [1, 2], "budgets") == (1, 2)
    with pytest.raises(ChatError, match=r"budgets\[1\] must be a whole number\."):
        typed(tuple[int, ...], [1, "2"], "budgets")


def test_a_report_of_the_first_version_can_still_be_read() -> None:
    report = read(FIRST_VERSION.read_text(encoding="utf-8"))
    assert report.bake_off is not None
    assert report.recall is not None
    assert len(report.cliffs[0].made.budgets) == 3
    assert [run.entry.name for run in report.bake_off.courses] == ["few", "all"]
    assert [(arm.name, arm.kind) for arm in report.recall.arms] == [("few", "plan"), ("all", "everything")]
    assert [answer.verdict for answer in report.recall.answers] == [None, "recalled"]


def test_an_arm_without_a_kind_is_one_of_a_strategy() -> None:
    stored = json.loads(FIRST_VERSION.read_text(encoding="utf-8"))
    for arm in stored["recall"]["arms"]:
        del arm["kind"]
    recall = read(json.dumps(stored)).recall
    assert recall is not None
    assert {arm.kind for arm in recall.arms} == {"plan"}


def test_a_report_may_be_empty() -> None:
    assert read(write(replace(real_report(), cliffs=(), bake_off=None, recall=None))).recall is None
