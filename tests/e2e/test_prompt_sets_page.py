"""Prompt sets in a browser: one upload of 50 prompts, three models, and a ranked answer that survives a killed app."""

from __future__ import annotations

import threading
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.support.app.app_process import App
from tests.support.app.browser import LAYOUT_SHIFT
from tests.support.servers.exam_server import ExamServer
from tests.support.servers.redis_servers import RedisServer
from tests.support.waiting import wait_until

RIGHT = {"good": 45, "fair": 43, "poor": 12}
"""How many of the prompts each model answers right."""


def reply(model: str, prompt: str) -> str:
    number = int(prompt.rsplit(maxsplit=1)[-1])
    return f"It is {number * 2}." if number <= RIGHT[model] else "I do not know."


def test_fifty_prompts_on_three_models_end_in_a_ranked_answer(
    browser: Browser, server: RedisServer, folder: Path
) -> None:
    rows = "\n".join(
        f"q-{number},Double of {{{{n}}}}: what is twice {{{{n}}}},{number * 2},{number}" for number in range(1, 51)
    )
    csv = f"id,prompt,expected,n\n{rows}\n".encode()
    with (
        ExamServer(reply, ["good", "fair", "poor"]) as exam,
        browser.new_context(viewport={"width": 1280, "height": 1000}) as context,
    ):
        env = {
            "REDIS_URL": server.url,
            "OPENAI_BASE_URL": exam.url,
            "OPENAI_API_KEY": "sk-test-exam",
            "OPENAI_MODEL": "good",
        }
        exam.gate = threading.Event()
        page = context.new_page()
        with App(folder / "data", env) as app:
            page.goto(f"{app.url}/prompt_sets")
            page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(
                {"name": "doubles.csv", "mimeType": "text/csv", "buffer": csv}
            )
            expect(page.get_by_text("50 prompts, all of them with something to check")).to_be_visible()
            page.get_by_text("Add a model").click()
            for model in ("fair", "poor"):
                box = page.get_by_role("combobox", name="Model")
                box.click()
                box.fill(model)
                box.press("Enter")
                expect(page.locator("[data-test-script-state='notRunning']")).to_have_count(1)
                page.get_by_role("button", name="Add this model").click()
                expect(page.get_by_text(f"{model} · OpenAI")).to_be_visible()
            expect(page.get_by_text("150 requests to 3 models")).to_be_visible()
            assert exam.asked == []
            page.get_by_role("button", name="Send 150 requests").click()
            expect(page.get_by_text("0 of 150 answered")).to_be_visible()
            wait_until(lambda: exam.asked)
            exam.gate.set()
            wait_until(lambda: len(exam.asked) > 40)
            app.kill()
            address = page.url.replace(str(app.port), "{port}")
        asked = len(exam.asked)
        with App(folder / "data", env) as app:
            page.add_init_script(LAYOUT_SHIFT)
            page.goto(address.format(port=app.port))
            page.get_by_role("button", name="Go on with the").click()
            ranked = page.get_by_text("good passes most: 45 of 50")
            expect(ranked).to_be_visible()
            assert 150 <= len(exam.asked) <= 151  # the request that was under way was asked again
            assert asked < 150
            expect(page.get_by_text("good and fair cannot be told apart by these prompts: 43 of 50")).to_be_visible()
            expect(page.get_by_text("poor passes fewer: 12 of 50")).to_be_visible()
            expect(page.get_by_text("150 of 150 answers")).to_be_visible()
            page.set_viewport_size({"width": 390, "height": 1000})
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0
        assert "Traceback" not in app.log.read_text(), app.log.read_text()[-4000:]
