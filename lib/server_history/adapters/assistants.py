"""Assistants threads: an assistant with instructions, a thread of messages, and a run that answers.

OpenAI and Azure switched this API off on 26 August 2026, so nothing is sent to their hosts, not even after a redirect;
other servers still support it. A run is cancelled at the deadline. Tools are not supported: a run that asks for one is
cancelled and counts as failed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from lib.errors import ConversationGone, ProviderError
from lib.messages import Message, utf8_safe
from lib.providers import TextDelta
from lib.server_history import Deletion, Handle, ReplyStatus, ServerTurn, ThreadSettings
from lib.server_history.adapters.base import Adapter
from lib.server_history.adapters.retirement import refuse_retired, retirement
from lib.server_history.client import Deletable, OpenAIServer, is_stream
from lib.server_history.http_meter import MeteredTurn
from lib.server_history.sdk_values import field, run_usage, seconds_of, system_messages, text_of, without_repeats
from lib.settings import Endpoint

PROTOCOL = "Assistants threads"
STATUSES: dict[str, ReplyStatus] = {
    "completed": "complete",
    "incomplete": "incomplete",
    "failed": "failed",
    "cancelled": "failed",
    "expired": "failed",
    "requires_action": "failed",
}
"""The statuses that end a run."""
BETA_HEADER = {"OpenAI-Beta": "assistants=v2"}


@dataclass(slots=True)
class LatestRun:
    """The run of a turn as the server last described it."""

    body: Any = None

    @property
    def status(self) -> str:
        """Its status, e.g. "in_progress"."""
        return str(field(self.body, "status"))

    @property
    def ended(self) -> bool:
        """Whether it will not change any more."""
        return self.status in STATUSES


class AssistantsHistory(Adapter):
    """A ServerHistory over `/assistants`, `/threads` and runs."""

    approach = "assistants"

    def __init__(self, endpoint: Endpoint, key: str | None, settings: ThreadSettings | None = None) -> None:
        super().__init__(endpoint.model, settings)
        self._server = OpenAIServer(endpoint, key, refuse_retired)
        self._base_url = endpoint.base_url

    def create(self, system_prompt: str) -> Handle:
        """Create an assistant that holds the instructions, and an empty thread."""
        beta, instructions = self._beta(), utf8_safe(system_prompt)
        with self._server.errors_translated(protocol=PROTOCOL):
            created = _quiet(beta.assistants.create)(model=self._model, name="Windowseat", instructions=instructions)
            assistant = self._server.id_of(created)
        try:
            with self._server.errors_translated(protocol=PROTOCOL):
                thread = self._server.id_of(_quiet(beta.threads.create)())
        except ProviderError:
            self._server.status_of(_quiet(beta.assistants.delete), assistant)
            raise
        return super().create(system_prompt).plus(("assistant", assistant), ("thread", thread))

    def adopt(self, system_prompt: str, messages: Sequence[Message]) -> Handle:
        """Create a thread that starts with these messages: texts of the user and the assistant."""
        handle = self.create(system_prompt)
        _, thread = _ids(handle)
        create_message = _quiet(self._beta().threads.messages.create)
        with self._server.errors_translated(looking_for=f"thread {thread}"):
            for message in messages:
                create_message(thread, role=message.role, content=utf8_safe(message.text))
        return handle

    def send(self, handle: Handle, text: str) -> Iterator[TextDelta | ServerTurn]:
        """One turn: a message, a run, and its reply. A failed run leaves its message in the thread."""
        metered, (assistant, thread) = MeteredTurn(), _ids(handle)
        beta, run = self._beta(metered), LatestRun()
        with self._server.errors_translated(looking_for=f"thread {thread} or its assistant"):
            message = _quiet(beta.threads.messages.create)(thread, role="user", content=utf8_safe(text))
            create_run = partial(
                _quiet(beta.threads.runs.create),
                thread,
                assistant_id=assistant,
                max_completion_tokens=self.settings.max_output_tokens,
                **self._limits(),
            )
            if self.settings.stream:
                yield from self._read_stream(create_run(stream=True), metered, run)
            else:
                run.body = create_run()
            cancelled = self._wait(thread, metered, run)
            if not metered.pieces and (reply := self._reply(beta, thread, field(message, "id"), run)):
                yield metered.text(reply)
        yield self._turn(handle, metered, run, cancelled=cancelled)

    def export(self, handle: Handle) -> list[Message]:
        """Every message of the thread, oldest first."""
        _, thread = _ids(handle)
        with self._server.errors_translated(looking_for=f"thread {thread}"):
            messages = _messages(self._beta(), thread)
        return [*system_messages(handle.system_prompt), *messages]

    def delete(self, handle: Handle) -> Deletion:
        """Delete the thread, then the assistant; then read each again."""
        beta, (assistant, thread) = self._beta(), _ids(handle)
        return self._server.delete_with_proof(
            [
                Deletable("thread", thread, _quiet(beta.threads.delete), _quiet(beta.threads.retrieve)),
                Deletable("assistant", assistant, _quiet(beta.assistants.delete), _quiet(beta.assistants.retrieve)),
            ]
        )

    def _beta(self, metered: MeteredTurn | None = None) -> Any:
        """The SDK's Assistants calls. Raises Retired before anything is sent."""
        if (retired := retirement(self._base_url)) is not None:
            raise retired
        return self._server.client(metered).beta

    def _limits(self) -> dict[str, Any]:
        """The fields of a run that limit what it reads of the thread."""
        limits: dict[str, Any] = {}
        if self.settings.last_messages is not None:
            limits["truncation_strategy"] = {"type": "last_messages", "last_messages": self.settings.last_messages}
        if self.settings.max_prompt_tokens is not None:
            limits["max_prompt_tokens"] = self.settings.max_prompt_tokens
        return limits

    def _read_stream(self, stream: Any, metered: MeteredTurn, run: LatestRun) -> Iterator[TextDelta]:
        """Read the run as it streams. A server that does not stream returns the run, which then has to be polled."""
        with stream:
            if not is_stream(stream):
                metered.notes.append("The server was asked to stream and did not; the run was polled.")
                run.body = json.loads(stream.response.read())
                return
            for event in stream:
                name, data = str(field(event, "event") or ""), field(event, "data")
                if name == "thread.message.delta":
                    yield metered.text(text_of(field(data, "delta", "content")))
                elif name.startswith("thread.run.") and not name.startswith("thread.run.step."):
                    run.body = data
                if metered.seconds > self.settings.deadline_seconds:
                    return

    def _wait(self, thread: str, metered: MeteredTurn, run: LatestRun) -> bool:
        """Poll until the run ends or the deadline passes. Returns whether it was cancelled at the deadline."""
        client, id_ = self._server.client(metered), self._server.id_of(run.body)
        pause = self.settings.poll_seconds
        while not run.ended:
            left = self.settings.deadline_seconds - metered.seconds
            if left <= 0:
                break
            time.sleep(min(pause, left))
            import httpx2

            options: Any = {"headers": BETA_HEADER}
            response = client.get(f"/threads/{thread}/runs/{id_}", cast_to=httpx2.Response, options=options)
            run.body, poll_after = response.json(), response.headers.get("openai-poll-after-ms", "")
            pause = int(poll_after) / 1000 if poll_after.isdigit() else self.settings.poll_seconds
        late = not run.ended
        if late or run.status == "requires_action":
            self._server.status_of(partial(_quiet(client.beta.threads.runs.cancel), thread_id=thread), id_)
        return late

    def _reply(self, beta: Any, thread: str, prompt_id: Any, run: LatestRun) -> str:
        """The text of the run, from the list of messages."""
        if run.status not in ("completed", "incomplete"):
            return ""
        messages = _messages(beta, thread, after=prompt_id)
        return "\n\n".join(message.text for message in messages if message.role == "assistant")

    def _turn(self, handle: Handle, metered: MeteredTurn, run: LatestRun, *, cancelled: bool) -> ServerTurn:
        for name, value in self._limits().items():
            if field(run.body, name) is None:
                metered.notes.append(f"The server did not confirm {name} {value}.")
        status = "failed" if cancelled else STATUSES[run.status]
        return metered.turn(
            handle,
            run_usage(field(run.body, "usage")),
            (("run", self._server.id_of(run.body)),),
            status=status,
            reason=None if status == "complete" else _reason(run, metered, cancelled=cancelled),
        )


def _reason(run: LatestRun, metered: MeteredTurn, *, cancelled: bool) -> str:
    """Why the run is not complete, in the server's words."""
    if cancelled:
        return f"still {run.status} after {metered.seconds:.0f} s: we stopped waiting and cancelled it"
    error = [field(run.body, "last_error", "code"), field(run.body, "last_error", "message")]
    words = ": ".join(str(word) for word in error if word)
    return words or field(run.body, "incomplete_details", "reason") or run.status


def _messages(beta: Any, thread: str, after: str | None = None) -> list[Message]:
    """The thread's messages, oldest first; only those after a message if its id is given."""
    listed = list(without_repeats(_quiet(beta.threads.messages.list)(thread, order="asc", limit=100)))
    times = [seconds_of(field(message, "created_at")) for message in listed]
    if len(times) > 1 and times[0] is not None and times[-1] is not None and times[0] > times[-1]:
        listed.reverse()  # the server ignored the order
    ids = [field(message, "id") for message in listed]
    wanted = listed[ids.index(after) + 1 :] if after in ids else listed
    return [Message(str(field(message, "role")), text_of(field(message, "content"))) for message in wanted]


def _ids(handle: Handle) -> tuple[str, str]:
    """The ids of the assistant and the thread."""
    assistant, thread = handle.last("assistant"), handle.last("thread")
    if assistant is None or thread is None:
        raise ConversationGone("This conversation has no thread: it was never created.")
    return assistant, thread


def _quiet(method: Any) -> Callable[..., Any]:
    """An SDK method marked as deprecated, without its warning, which is for developers.

    It unwraps the method, because `warnings.catch_warnings()` would act on all threads of the process.
    """
    unmarked = getattr(method, "__wrapped__", None)
    return partial(unmarked, method.__self__) if unmarked is not None else partial(method)
