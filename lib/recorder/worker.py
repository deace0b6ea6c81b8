"""The thread that records one request: it reads the tape, shows the answer while it comes, and stores the turn.

It begins to work when the first bytes of the answer have passed, or a moment after the request was sent, so that the
pass-through does not wait for the processor.
"""

from __future__ import annotations

import json
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from lib.errors import ChatError, HistoryUnavailable, TurnInProgress
from lib.recorded_requests import prompt_of
from lib.recorder.entries import Entry, messages_sent
from lib.recorder.place import VIA, Placing
from lib.recorder.replies.answer import Answer
from lib.recorder.replies.reader import AnswerReader
from lib.recorder.requests import AppRequest, Unreadable, read_request
from lib.recorder.secrets import without_fields, without_secrets
from lib.recorder.tape import Began, Ended, Tape
from lib.recorder.turn_record import Placed, plan_of, turn_of
from lib.tokens import ESTIMATE
from lib.turns import LiveTurn, PlanSummary, Turn

HEAD_START_SECONDS = 0.1
HEARTBEAT_SECONDS = 0.5
EARLIER_SECONDS = 5.0
"""How long requests that were answered before are waited for, so that it is known what they said."""
PATIENCE_SECONDS = 60.0
"""How long a finished turn waits for another one of its session, or for the store."""

log = logging.getLogger(__name__)


class Worker:
    """Records one request. `report` is called with each new state of its line in the list."""

    def __init__(
        self,
        tape: Tape,
        open_placing: Callable[[], Placing],
        report: Callable[[Entry], None],
        closing: threading.Event,
        earlier: Sequence[threading.Event],
    ) -> None:
        self._tape = tape
        self._open_placing = open_placing
        self._closing = closing
        self._earlier = earlier
        self._report = report
        self._entry = Entry(tape.id, tape.started_at, tape.path, tape.endpoint.name)
        self._cleaned = False
        self._live: LiveTurn | None = None
        self._begun = False
        self._session_id = ""
        self._reader: AnswerReader | None = None
        self._status: int | None = None

    def run(self) -> None:
        """Record it. Whatever goes wrong here ends in the list, never in the pass-through."""
        self._tape.moved.wait(HEAD_START_SECONDS)
        try:
            self._record()
        except Unreadable as error:
            self._passed_on(f"The body {error.what}.")
        except ChatError as error:
            self._passed_on(f"{error.what} {error.next_step}")
        except Exception as error:  # noqa: BLE001 - the text of an unknown error may hold what was sent, so only its kind
            log.error("A request could not be recorded (%s).", type(error).__name__)
            self._passed_on(f"Something unexpected went wrong here ({type(error).__name__}).")
        finally:
            self._tape.overrun = True  # nobody reads it any more

    def _passed_on(self, note: str) -> None:
        """Nothing was stored."""
        self._update(state="passed on", note=f"Passed on, and not recorded. {note}", status=self._status)

    def _update(self, **changes: object) -> None:
        self._entry = replace(self._entry, **changes)  # type: ignore[arg-type]  # fields of Entry, by their names
        self._report(self._entry)

    def _record(self) -> None:
        tape = self._tape
        request = self._request()
        self._placing = self._open_placing()
        patience_ends = time.monotonic() + EARLIER_SECONDS
        for done in self._earlier:
            done.wait(max(0.0, patience_ends - time.monotonic()))
        self._session_id = self._placing.session_for(request, tape.session)
        settings = self._placing.settings(tape.endpoint, request.model)
        settings = replace(settings, system_prompt=request.system_prompt or "")
        prompt = prompt_of(request.messages[-1].message)
        self._live = LiveTurn(prompt, settings, "recorder", tape.started_at, id=tape.id, via=VIA)
        self._update(session_id=self._session_id, model=request.model)
        self._begin()
        ended = self._follow()
        answer = self._answer()
        self._store(request, answer, ended)

    def _request(self) -> AppRequest:
        """The request, without keys."""
        tape = self._tape
        request = read_request(tape.path, tape.data)
        rest = without_fields(request.rest)
        text = json.dumps(request.body, ensure_ascii=False) if tape.secrets else ""
        if rest == request.rest and not any(secret in text for secret in tape.secrets):
            return request
        self._cleaned = True
        body = without_secrets({**request.body, **rest}, tape.secrets)
        return read_request(tape.path, json.dumps(body).encode())

    def _begin(self) -> bool:
        """Store the live turn, if the session has none. A store that does not answer is asked again later."""
        assert self._live is not None
        if self._begun:
            return True
        try:
            self._begun = self._placing.begin(self._session_id, self._live)
        except HistoryUnavailable:
            return False
        return self._begun

    def _follow(self) -> Ended:
        """Read the tape to its end, and show what came."""
        due = time.monotonic() + HEARTBEAT_SECONDS
        while True:
            if time.monotonic() >= due:
                self._beat()
                due = time.monotonic() + HEARTBEAT_SECONDS
            try:
                event = self._tape.events.get(timeout=max(0.01, due - time.monotonic()))
            except queue.Empty:
                if self._closing.is_set():
                    return Ended("left", "The app is shutting down.")
                continue
            if isinstance(event, Ended):
                return event
            if isinstance(event, Began):
                self._status = event.status
                label = self._tape.endpoint.label
                self._reader = AnswerReader(self._tape.path, label, event.status, event.headers)
                continue
            self._tape.read(event)
            if self._reader is not None:
                self._reader.feed(event)

    def _beat(self) -> None:
        """Store the turn's current state. A turn that was cleared on a page is not recorded any more."""
        assert self._live is not None
        if not self._begin():
            return
        text = "" if self._reader is None else without_secrets(self._reader.text, self._tape.secrets)
        self._live = replace(self._live, text=text, first_token_ms=self._tape.first_token_ms)
        try:
            if self._placing.store.heartbeat(self._session_id, self._live) == "stop":
                self._tape.stop()
        except HistoryUnavailable:
            return

    def _answer(self) -> Answer:
        """What came back, without keys."""
        if self._reader is None:
            return Answer()
        answer = self._reader.finish()
        if not self._tape.secrets:
            return answer
        messages = tuple(
            type(each).from_dict(without_secrets(each.to_dict(), self._tape.secrets)) for each in answer.messages
        )
        written = (answer.text, answer.reasoning, answer.note)
        text, reasoning, note = (without_secrets(each, self._tape.secrets) for each in written)
        return replace(answer, messages=messages, text=text, reasoning=reasoning, note=note)

    def _store(self, request: AppRequest, answer: Answer, ended: Ended) -> None:
        """Store the turn, as soon as the session and the store allow it."""
        patience_ends = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                turn = self._commit(request, answer, ended)
                break
            except (HistoryUnavailable, TurnInProgress) as error:
                is_over = time.monotonic() > patience_ends
                if isinstance(error, TurnInProgress) and (
                    is_over or self._placing.waits_for_a_person(self._session_id)
                ):
                    self._session_id = self._placing.beside(self._session_id)
                elif is_over or self._closing.is_set():
                    raise
                else:
                    self._closing.wait(HEARTBEAT_SECONDS / 2)
        plan = turn.plan
        assert plan is not None
        self._update(
            state="recorded",
            status=self._status,
            session_id=self._session_id,
            sent=messages_sent(plan),
            left_out=plan.left_out,
            input_tokens=turn.usage.input_tokens,
            output_tokens=turn.usage.output_tokens,
            note=turn.note,
            turn=self._placing.number_of(self._session_id, turn),
        )

    def _commit(self, request: AppRequest, answer: Answer, ended: Ended) -> Turn:
        """Place the messages and store them with the turn. Raises TurnInProgress while another turn of the session is
        live."""
        assert self._live is not None
        placing, settings = self._placing, self._live.settings
        with placing.one_at_a_time(self._session_id):
            if not self._begun and not placing.begin(self._session_id, self._live):
                raise TurnInProgress("Another turn of this session is being answered.")
            self._begun = True
            placed, moved = placing.place(request, self._session_id, self._tape.session, self._cleaned)
            if moved != self._session_id:  # the history changed meanwhile, and no longer shows this request
                placing.store.discard(self._session_id, self._live.id)
                self._session_id, self._begun = moved, placing.begin(moved, self._live)
            turn = turn_of(self._tape, placed, answer, ended, self._status, settings, self._plan(placed))
            placing.commit(self._session_id, placed, turn, answer, settings)
            return turn

    def _plan(self, placed: Placed) -> PlanSummary:
        """What was sent, sized by the model's counter, or by the estimate if that one's server fails."""
        assert self._live is not None
        settings = self._live.settings
        try:
            return plan_of(placed, settings, self._placing.counter(settings))
        except ChatError:
            return plan_of(placed, settings, ESTIMATE)
