"""The page of prompt sets: from an upload to a ranked answer, with what it costs said before; looking sends nothing."""

from __future__ import annotations

import io
from collections.abc import Iterator
from decimal import Decimal

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from lib.chat.service import ChatService
from lib.chat_settings import ChatSettings
from lib.prompt_sets import Prompt, tables
from lib.prompt_sets.reading.read import read_set
from lib.prompt_sets.runs import Answer, Run, unpack_run
from lib.ui.prompt_sets import carrying_out, sentences, source, state
from lib.ui.shell import services
from tests.support.app.pages import page
from tests.support.servers.exam_server import ExamServer
from tests.support.waiting import wait_until

PATH = "pages/prompt_sets.py"
SET = "prompt,expected,city\nCapital of {{city}}?,Paris,France\nCapital of {{city}}?,Rome,Italy\n=1+1?,2,\n"


@pytest.fixture
def exam(monkeypatch: pytest.MonkeyPatch) -> Iterator[ExamServer]:
    with ExamServer(lambda model, prompt: "Paris" if "France" in prompt or model == "worse" else "Rome") as server:
        monkeypatch.setenv("WINDOWSEAT_STORE", "memory")
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-in-tests")
        monkeypatch.setenv("OPENAI_MODEL", "better")
        st.cache_resource.clear()
        yield server
        for runner in carrying_out.runners().values():
            runner.cancel()
            assert runner.done.wait(30)
        st.cache_resource.clear()


def words(at: AppTest) -> str:
    kinds = (at.markdown, at.caption, at.warning, at.error, at.info)
    return "\n".join(each.value for kind in kinds for each in kind)


def pasted(text: str = SET, **kept: object) -> AppTest:
    at = page(PATH, state={state.SOURCE: state.PASTED, state.PASTE: text} | kept)
    assert not at.exception, at.exception
    return at


def finished(at: AppTest) -> str:
    """Wait until the run that was started has ended; its id."""
    assert not at.exception, at.exception
    run_id = at.query_params[state.URL_RUN]
    run_id = run_id[0] if isinstance(run_id, list) else run_id
    assert wait_until(lambda: carrying_out.runners()[f":{run_id}"]).done.wait(30)
    return str(run_id)


def add(at: AppTest, model: str, button: str = "prompt_model_add") -> None:
    at.session_state["prompt_set_add_model"] = True
    at.session_state["models:openai"] = [model]  # as listed by the server
    at.run()
    at.selectbox(key="prompt_model:new:model").select(model).run()
    at.button(key=button).click().run()


def test_looking_sends_nothing_and_stores_nothing(exam: ExamServer) -> None:
    for tab in state.TABS:
        at = page(PATH, state={state.TAB: tab, state.SOURCE: state.EXAMPLE})
        assert not at.exception, at.exception
    assert exam.asked == []
    assert services.chat().store.prompt_runs.runs("") == []


def test_a_pasted_set_on_two_models_ends_in_a_ranked_sentence(exam: ExamServer) -> None:
    at = pasted()
    assert "3 prompts, all of them with something to check" in words(at)
    add(at, "worse")
    assert "6 requests to 2 models" in words(at)
    assert "price not known" in words(at)
    assert "a spending cap does not count them" in words(at)
    assert exam.asked == []
    at.button(key="prompt_run").click().run()
    run_id = finished(at)
    at.run()
    assert not at.exception, at.exception
    said = words(at)
    assert "better passes most: 2 of 3" in said
    assert "better and worse cannot be told apart by these prompts: 1 of 3, and they differ on 1 of 3" in said
    assert sorted({body["model"] for body in exam.asked}) == ["better", "worse"]
    table = at.dataframe[0].value
    assert list(table["result"]) == ["passed", "passed", "passed", "failed", "failed", "failed"]
    at.multiselect(key=state.FILTER_RESULTS).select("failed").run()
    at.text_input(key=state.FILTER_TEXT).set_value("capital of italy").run()
    assert list(at.dataframe[0].value["model"]) == ["worse"]
    assert "1 of 6 answers" in words(at)
    opened = {state.TAB: state.SAVED, f"run_more:{run_id}": True}
    at = page(PATH, state=opened)
    at.text_input(key=f"run_name:{run_id}").set_value("Capitals :red[x]")
    at.button(key=f"run_rename:{run_id}").click().run()
    stored = services.chat().store.prompt_runs.run("", run_id)
    assert stored is not None
    assert unpack_run(stored.head).name == "Capitals :red[x]"
    assert "sk-secret" not in stored.head
    at = page(PATH, state={state.TAB: state.COMPARE})
    assert "1 flipped to passed and 0 to failed, of 3 prompts checked in both" in words(at)
    at = page(PATH, state=opened)
    at.button(key=f"run_delete:{run_id}").click().run()
    assert services.chat().store.prompt_runs.runs("") == []
    assert not at.exception, at.exception


def test_a_run_that_was_stopped_goes_on_after_a_restart(exam: ExamServer) -> None:
    exam.refusals["*"] = [(401, {})]
    at = pasted()
    at.button(key="prompt_run").click().run()
    finished(at)
    carrying_out.runners().clear()  # the app was restarted
    at.run()
    assert "Check the key" in words(at)
    at.button(key="prompt_run_on").click().run()
    finished(at)
    at.run()
    assert "better passes 2 of 3" in words(at)
    assert not at.exception, at.exception


def test_a_refused_set_names_its_lines_and_offers_no_run(exam: ExamServer) -> None:
    at = pasted("prompt,expected\n,Paris\nCapital of {{city}}?,Rome")
    assert "Line 2: the prompt is empty" in words(at)
    assert "Line 3: there is no value for" in words(at)
    assert not [button for button in at.button if button.key == "prompt_run"]
    assert "Nothing was stored or sent." in words(at)


def test_a_judge_is_chosen_asked_and_labelled(exam: ExamServer) -> None:
    def reply(model: str, prompt: str) -> str:
        return '{"pass": true, "reason": "Nice."}' if model == "strict" else "Hello"

    exam.reply = reply
    at = pasted("prompt,check,expected\nGreet me,judge,It is polite")
    assert "No judge is chosen" in words(at)
    add(at, "strict", "prompt_judge_add")
    assert "Judged by **strict**" in words(at)
    assert "2 requests to 1 model" in words(at)
    at.button(key="prompt_run").click().run()
    finished(at)
    at.run()
    assert list(at.dataframe[0].value["why"]) == ["strict judged that it passes: Nice."]
    assert "better passes 1 of 1" in words(at)


def test_a_run_of_somebody_else_is_not_there(exam: ExamServer, chat: ChatService) -> None:
    at = page(PATH, state={state.TAB: state.RESULTS}, run="0" * 32)
    assert "This run is gone" in words(at)
    assert "This run is gone" in words(page(PATH, state={state.TAB: state.RESULTS}, run="a:b"))


def test_the_files_hold_every_answer_and_no_formula() -> None:
    run = Run("r", "R", "s", 0.0, (ChatSettings("openai", "m", "Be brief.", 100, 10, "none"),), 1)
    answer = Answer(0, 0, "=1+1", cost=Decimal("0.5"), tokens=7, provenance="counted", passed=True, reason="It is.")
    frame = tables.table(run, [Prompt("a", "@x \ud83d", variables={"n": "1"})], {(0, 0): answer})
    csv = pd.read_csv(io.BytesIO(tables.as_csv(frame)))
    assert (csv["answer"][0], csv["prompt"][0], csv["who counted"][0]) == ("'=1+1", "'@x \ufffd", "counted")
    parquet = pd.read_parquet(io.BytesIO(tables.as_parquet(frame)))
    assert (parquet["answer"][0], parquet["cost in USD"][0], parquet["input tokens"][0]) == ("=1+1", 0.5, 7)


def test_small_p_values_are_not_called_nothing() -> None:
    assert [sentences.p_value(p) for p in (0.5, 0.0312, 0.00001)] == ["0.5", "0.031", "under 0.0001"]


def test_the_example_is_a_set_in_which_every_prompt_has_a_check(exam: ExamServer) -> None:
    name, raw = source._example()
    found = read_set(name, raw or b"")
    assert len(found.prompts) == 10
    assert all(prompt.checks for prompt in found.prompts)
