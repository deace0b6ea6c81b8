"""Runs each lesson 20 times on the embedded model, and keeps the first run that came out as the lesson says.

python -m tests.benchmarks.bench_lessons            # measure and record all lessons
python -m tests.benchmarks.bench_lessons 3 --runs 5 # one of them, without recording
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from lib.chat_settings import ChatSettings
from lib.lessons import Lesson
from lib.lessons.library import find_lessons
from lib.lessons.outcomes import Outcome, as_expected
from lib.lessons.recordings import FOLDER, Recorded, to_json
from lib.lessons.running import LessonRun
from lib.providers.factory import open_counter
from lib.providers.llama.process import LocalModel, LocalProvider
from lib.settings import load_settings
from tests.support.waiting import wait_until

RUNS = 20


def once(lesson: Lesson, model: LocalModel) -> tuple[Outcome, ...]:
    """One run of a lesson's experiment."""
    local = load_settings().endpoints["local"]
    own = ChatSettings("local", model.name, "", local.window, local.reserve, "none")
    run = LessonRun(
        lesson,
        own,
        lambda _: LocalProvider(model),
        lambda settings, provider: open_counter(local, settings.model, model, provider),
    )
    run.start()
    wait_until(lambda: not run.is_running, "the run", 600)
    outcomes = run.outcomes()
    run.close()
    return outcomes


def measure(lesson: Lesson, model: LocalModel, runs: int) -> Recorded:
    """Run it so often."""
    found = [once(lesson, model) for _ in range(runs)]
    good = [each for each in found if as_expected(each)]
    for outcomes in found:
        if not as_expected(outcomes):
            for each in outcomes:
                print(f"    {each.as_expected} {each.arm.name}: {each.turns[-1].reply[:90]!r} {each.error or ''}")
    return Recorded(model.name, f"{datetime.now(UTC):%Y-%m-%d}", runs, len(good), (good or found)[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lessons", nargs="*", help="the numbers at the start of the files' names; all by default")
    parser.add_argument("--runs", type=int, default=RUNS)
    chosen = parser.parse_args()
    model = LocalModel()
    for lesson in find_lessons().lessons:
        if chosen.lessons and lesson.id.split("-")[0] not in chosen.lessons:
            continue
        recorded = measure(lesson, model, chosen.runs)
        print(f"{lesson.id}: {recorded.as_expected} of {recorded.runs}")
        if chosen.runs == RUNS:
            FOLDER.mkdir(exist_ok=True)
            (FOLDER / f"{lesson.id}.json").write_text(to_json(lesson, recorded), encoding="utf-8")
    model.close()


if __name__ == "__main__":
    main()
