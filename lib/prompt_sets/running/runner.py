"""Carries out one run: asks every model every prompt, a few at once, and stores each answer as soon as it is there.

What has an answer already is not asked again, so a run goes on after a restart of the app. A run ends early when
somebody cancels it, when the next request might pass a spending cap, or when its store or all its endpoints fail.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from lib.chat_settings import ChatSettings
from lib.errors import ChatError, ProviderUnavailable, RateLimited, Retired, SpendingCapReached, TurnInProgress
from lib.history.prompt_sets import HELD_SECONDS
from lib.prompt_sets import Prompt
from lib.prompt_sets.running.answering import HOPELESS, Answering
from lib.prompt_sets.running.asking import Asker
from lib.prompt_sets.running.lanes import Cancelled, Lane
from lib.prompt_sets.running.parts import Parts, Progress, queues
from lib.prompt_sets.runs import Answer, Run, State, name_of, pack_answer, pack_run

MOST_FAILURES = 5
"""After so many requests in a row that an endpoint did not answer, it is not asked any more."""
LOOK_SECONDS = 0.25
"""How often the run's own thread looks whether everything is done or cancelled."""

log = logging.getLogger(__name__)


class Runner:
    """`done` is set when nothing more will be asked. Safe to read from any thread."""

    def __init__(self, run: Run, prompts: Sequence[Prompt], answers: Iterable[Answer], parts: Parts) -> None:
        self.run = run
        self.prompts = tuple(prompts)
        self.done = threading.Event()
        self._parts = parts
        self._holder = uuid.uuid4().hex
        self._lock = threading.Lock()
        self._answers = {each.place: each for each in answers}
        self._cancelled = threading.Event()
        self._stopped = threading.Event()
        self._end: tuple[State, str] | None = None
        self._failures: dict[str, int] = {}
        self._lanes: dict[str, Lane] = {}
        self._tight = threading.Event()
        self._single = threading.Lock()
        self._asking = 0
        self._answering = self._open()

    def start(self) -> None:
        """Begin, and return at once. Raises TurnInProgress if another process carries out this run, HistoryUnavailable
        if the store does not answer."""
        store, owner = self._parts.store, self._parts.owner
        if not store.hold(owner, self.run.id, self._holder):
            raise TurnInProgress(
                "This run is being carried out by another process, or was deleted.",
                safe="Nothing was sent.",
                next_step="Wait a minute, then open it again.",
            )
        self.run = replace(self.run, state="running", note="")
        store.save_head(owner, self.run.id, pack_run(self.run))
        threading.Thread(target=self._carry_out, daemon=True, name=f"prompt-run-{self.run.id}").start()

    def cancel(self) -> None:
        """Ask nothing more, and drop the answers that are being written. Earlier answers are kept."""
        self._cancelled.set()
        self._stopped.set()

    @property
    def progress(self) -> Progress:
        """How far it has come."""
        with self._lock:
            settled = sum(each.is_settled for each in self._answers.values())
            failed = sum(each.error is not None for each in self._answers.values())
        return Progress(
            settled, self.run.total, failed, max((lane.waits for lane in self._lanes.values()), default=0.0)
        )

    @property
    def answers(self) -> Mapping[tuple[int, int], Answer]:
        """The answers so far, by their places."""
        with self._lock:
            return dict(self._answers)

    def _open(self) -> Answering:
        run, parts = self.run, self._parts
        return Answering(
            run, self.prompts, [self._asker(each) for each in run.models], self._asker_of_judge(), parts.find
        )

    def _asker_of_judge(self) -> Asker | None:
        return None if self.run.judge is None else self._asker(self.run.judge)

    def _asker(self, settings: ChatSettings) -> Asker:
        parts, wait = self._parts, self._parts.wait or self._stopped.wait
        if settings.provider not in self._lanes:
            self._lanes[settings.provider] = Lane(max(1, parts.places(settings.provider)), self._stopped, wait)
        lane = self._lanes[settings.provider]
        return Asker(settings, lane, self._stopped, parts.open_provider, parts.counter_of, parts.meter)

    def _carry_out(self) -> None:
        """The run's own thread: starts the workers, holds the run, and says in the end how it ended."""
        workers = [
            threading.Thread(target=self._work, args=(queue,), daemon=True, name=f"prompt-run-{self.run.id}-{name}")
            for name, queue in queues(self.run, self.answers).items()
            for _ in range(min(self._lanes[name].places, len(queue)))
        ]
        for each in workers:
            each.start()
        looks = 0
        while any(each.is_alive() for each in workers) and not self._stopped.wait(LOOK_SECONDS):
            looks += 1
            if looks * LOOK_SECONDS * 4 > HELD_SECONDS:
                looks = 0
                self._hold_on()
        self._stopped.set()
        self._finish()

    def _work(self, queue: deque[tuple[int, int]]) -> None:
        """Answer what is in a queue, until it is empty or the run stops."""
        while not self._stopped.is_set():
            try:
                place = queue.popleft()
            except IndexError:
                return
            try:
                self._within_caps(place)
            except Cancelled:
                return
            except SpendingCapReached as error:
                self._stop("capped", f"{error.what}")
            except HOPELESS as error:
                queue.clear()
                self._note("stopped", f"{error.what} {error.next_step}")
            except ChatError as error:  # of the store
                self._stop("failed", f"{error.what}")
            except Exception as error:
                log.exception("a request of a prompt run failed")
                self._stop("failed", f"Something unexpected went wrong here ({type(error).__name__}).")

    def _within_caps(self, place: tuple[int, int]) -> None:
        """Answer one. If a cap refuses it, once more when nothing else is under way, for what that holds may be left.

        Raises SpendingCapReached if even then the request might pass a cap.
        """
        if not self._tight.is_set():
            try:
                self._counted(place)
                return
            except SpendingCapReached:
                self._tight.set()
        with self._single:
            while self._asking and not self._stopped.is_set():
                self._stopped.wait(LOOK_SECONDS / 10)
            if not self._stopped.is_set():
                self._counted(place)

    def _counted(self, place: tuple[int, int]) -> None:
        with self._lock:
            self._asking += 1
        try:
            self._answer(place)
        finally:
            with self._lock:
                self._asking -= 1

    def _answer(self, place: tuple[int, int]) -> None:
        """Answer one prompt, check it, and store both. Raises ChatError for what ends the endpoint or the run."""
        name = self.run.models[place[1]].provider
        known = self.answers.get(place)
        try:
            answer = known if known is not None and known.error is None else self._answering.ask(place)
        except (SpendingCapReached, *HOPELESS):
            raise
        except ChatError as error:
            self._keep(Answer(*place, error=error.to_dict()))
            self._failed(name, error)
            return
        with self._lock:
            self._failures[name] = 0
        self._keep(answer)
        if not answer.checked or not answer.is_final:
            self._keep(self._answering.judged(answer))

    def _failed(self, name: str, error: ChatError) -> None:
        """Count a failure. Raises Retired where the endpoint does not answer at all."""
        with self._lock:
            away = isinstance(error, ProviderUnavailable | RateLimited)
            count = self._failures[name] = self._failures.get(name, 0) + 1 if away else 0
        if count >= MOST_FAILURES:
            raise Retired(
                f"{count} requests in a row were not answered: {error.what}", next_step="Go on when it answers again."
            )

    def _keep(self, answer: Answer) -> None:
        """Store an answer at once. Raises Cancelled if nobody wants it any more."""
        if self._stopped.is_set():
            raise Cancelled
        stored = self._parts.store.save_answer(
            self._parts.owner, self.run.id, name_of(answer.place), pack_answer(answer)
        )
        if not stored:
            self._stop("stopped", "The run was deleted.")
            raise Cancelled
        with self._lock:
            self._answers[answer.place] = answer

    def _note(self, state: State, words: str) -> None:
        """Remember why the run will end before its end; the first reason counts."""
        with self._lock:
            self._end = self._end or (state, words)

    def _stop(self, state: State, words: str) -> None:
        self._note(state, words)
        self._stopped.set()

    def _hold_on(self) -> None:
        try:
            if not self._parts.store.hold(self._parts.owner, self.run.id, self._holder):
                self._stop("stopped", "The run was deleted, or another process went on with it.")
        except ChatError as error:
            self._stop("failed", error.what)

    def _finish(self) -> None:
        """Say how it ended, here and in the store."""
        progress = self.progress
        state, note = self._end or ("stopped", "")
        if progress.done == progress.total:
            state, note = "done", ""
        elif self._end is None and not self._cancelled.is_set():
            state, note = "stopped", f"{progress.total - progress.done:,} of the requests have no answer."
        self.run = replace(self.run, state=state, note=note)
        try:
            self._parts.store.save_head(self._parts.owner, self.run.id, pack_run(self.run))
            self._parts.store.release(self._parts.owner, self.run.id, self._holder)
        except ChatError as error:
            self.run = replace(self.run, state="failed", note=error.what)
        self.done.set()
