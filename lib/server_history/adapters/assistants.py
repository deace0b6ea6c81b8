"""Assistants threads: an assistant with instructions, a thread of messages, and a run that answers.

The one rule: OpenAI and Azure switched this off on 26 August 2026, so for their hosts nothing is sent, not even after a
redirect; it is spoken only with other servers. A run is never waited for longer than the deadline.
Left out: tools. A run that asks for one is cancelled and has failed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from lib.errors import ConversationGone, ProviderError, Retired
from lib.messages import Message, utf8_safe
from lib.providers import TextDelta
from lib.providers.sdk_errors import not_an_answer
from lib.server_history import DeletedItem, Deletion, Facts, Handle, ReplyStatus, ServerTurn, ThreadSettings
from lib.server_history.client import OpenAIServer, is_stream
from lib.server_history.http_meter import MeteredTurn
from lib.server_history.reference import ASSISTANTS
from lib.server_history.sdk_values import field, paged, prompt_of, run_usage, seconds_of, text_of
from lib.settings import Endpoint

RETIRED_HOSTS = (".openai.com", ".openai.azure.com", ".services.ai.azure.com", ".cognitiveservices.azure.com")
RETIRED_ON = "2026-08-26"
UNSPOKEN = "Assistants threads"
ENDS: dict[str, ReplyStatus] = {
    "completed": "complete",
    "incomplete": "incomplete",
    "failed": "failed",
    "cancelled": "failed",
    "expired": "failed",
    "requires_action": "failed",
}
VERSION = {"OpenAI-Beta": "assistants=v2"}


def retirement(base_url: str | None) -> Retired | None:
    """Why nothing is sent to this address, where that is so. None as base URL is OpenAI itself."""
    host = urlsplit(base_url).hostname if base_url else "api.openai.com"
    return _retired(host or "")


def _retired(host: str) -> Retired | None:
    if not f".{host.lower().rstrip('.')}".endswith(RETIRED_HOSTS):
        return None
    return Retired(
        f"The Assistants API was switched off on {RETIRED_ON}, by OpenAI and by Azure: {host} has no threads any more.",
        next_step=(
            "Use Conversations there: it is what threads became. Threads work with servers that still speak them."
        ),
    )


def _guard(host: str) -> None:
    if (retired := _retired(host)) is not None:
        raise retired


class AssistantsHistory:
    """A ServerHistory over `/assistants`, `/threads` and runs."""

    def __init__(self, endpoint: Endpoint, key: str | None, settings: ThreadSettings | None = None) -> None:
        self.settings = settings or ThreadSettings()
        self._server = OpenAIServer(endpoint, key, _guard)
        self._base_url = endpoint.base_url

    @property
    def facts(self) -> Facts:
        """What to know about this approach."""
        return ASSISTANTS

    def adopt(self, system_prompt: str, messages: Sequence[Message]) -> Handle:
        """A new thread that begins with these messages: texts of the user and the assistant."""
        handle = self.create(system_prompt)
        _, thread = _ids(handle)
        beta = self._beta(MeteredTurn())
        with self._server.failures(lost=f"thread {thread}"):
            for message in messages:
                _quiet(beta.threads.messages.create, thread, role=message.role, content=utf8_safe(message.text))
        return handle

    def create(self, system_prompt: str) -> Handle:
        """An assistant that holds the instructions, and an empty thread."""
        beta = self._beta(MeteredTurn())
        model = self._server.model
        with self._server.failures(unspoken=UNSPOKEN):
            made = _quiet(beta.assistants.create, model=model, name="Windowseat", instructions=utf8_safe(system_prompt))
            assistant = self._id_of(made)
        try:
            with self._server.failures(unspoken=UNSPOKEN):
                thread = self._id_of(_quiet(beta.threads.create))
        except ProviderError:
            self._server.status_of(partial(_quiet, beta.assistants.delete, assistant))
            raise
        return Handle("assistants", model, system_prompt).plus(("assistant", assistant), ("thread", thread))

    def send(self, handle: Handle, text: str) -> Iterator[TextDelta | ServerTurn]:
        """One turn: a message, a run, and what came of it. A run that fails leaves its message in the thread."""
        measured, (assistant, thread) = MeteredTurn(), _ids(handle)
        beta = self._beta(measured)
        run: dict[str, Any] = {}
        with self._server.failures(lost=f"thread {thread} or its assistant"):
            asked = _quiet(beta.threads.messages.create, thread, role="user", content=utf8_safe(text))
            wanted = {
                "assistant_id": assistant,
                "max_completion_tokens": self.settings.max_output_tokens,
                **self._limits(),
            }
            if self.settings.stream:
                yield from self._streamed(
                    _quiet(beta.threads.runs.create, thread, **wanted, stream=True), measured, run
                )
            else:
                run["run"] = _quiet(beta.threads.runs.create, thread, **wanted)
            late = self._wait(thread, measured, run)
            if not measured.pieces and (reply := self._reply(beta, thread, field(asked, "id"), run["run"])):
                yield measured.text(reply)
        yield self._turn(handle, measured, run["run"], late)

    def export(self, handle: Handle) -> list[Message]:
        """Every message of the thread, oldest first."""
        _, thread = _ids(handle)
        with self._server.failures(lost=f"thread {thread}"):
            messages = self._messages(self._beta(MeteredTurn()), thread)
        return [*prompt_of(handle.system_prompt), *messages]

    def delete(self, handle: Handle) -> Deletion:
        """The thread, then the assistant; then each is asked for again."""
        assistant, thread = _ids(handle)
        beta, server = self._beta(MeteredTurn()), self._server
        first = server.status_of(partial(_quiet, beta.threads.delete, thread))
        second = server.status_of(partial(_quiet, beta.assistants.delete, assistant))
        return Deletion.of(
            [
                DeletedItem("thread", thread, first, server.status_of(partial(_quiet, beta.threads.retrieve, thread))),
                DeletedItem(
                    "assistant",
                    assistant,
                    second,
                    server.status_of(partial(_quiet, beta.assistants.retrieve, assistant)),
                ),
            ]
        )

    def count(self, handle: Handle, text: str) -> int | None:
        """None: the protocol has no counting endpoint."""
        return None

    def _beta(self, measured: MeteredTurn) -> Any:
        """The SDK's Assistants calls. Raises Retired before anything is sent."""
        if (retired := retirement(self._base_url)) is not None:
            raise retired
        return self._server.client(measured).beta

    def _id_of(self, made: Any) -> str:
        id_ = field(made, "id")
        if not isinstance(id_, str):
            raise not_an_answer(self._server.label)
        return id_

    def _limits(self) -> dict[str, Any]:
        """What the thread may cost a run."""
        limits: dict[str, Any] = {}
        if self.settings.last_messages is not None:
            limits["truncation_strategy"] = {"type": "last_messages", "last_messages": self.settings.last_messages}
        if self.settings.max_prompt_tokens is not None:
            limits["max_prompt_tokens"] = self.settings.max_prompt_tokens
        return limits

    def _streamed(self, stream: Any, measured: MeteredTurn, run: dict[str, Any]) -> Iterator[TextDelta]:
        """The run as it streams; a server that does not stream answers with the run, which is then polled."""
        with stream:
            if not is_stream(stream):
                measured.notes.append("The server was asked to stream and did not; the run was polled.")
                run["run"] = json.loads(stream.response.read())
                return
            for event in stream:
                name, data = str(field(event, "event") or ""), field(event, "data")
                if name == "thread.message.delta":
                    yield measured.text(text_of(field(data, "delta", "content")))
                elif name.startswith("thread.run.") and not name.startswith("thread.run.step."):
                    run["run"] = data
                if measured.seconds > self.settings.deadline_seconds:
                    return

    def _wait(self, thread: str, measured: MeteredTurn, run: dict[str, Any]) -> bool:
        """Poll until the run has ended; whether it had to be given up."""
        client, id_ = self._server.client(measured), self._id_of(run.get("run"))
        pause = self.settings.poll_seconds
        while field(run["run"], "status") not in ENDS:
            left = self.settings.deadline_seconds - measured.seconds
            if left <= 0:
                break
            time.sleep(min(pause, left))
            import httpx2

            options: Any = {"headers": VERSION}
            answer = client.get(f"/threads/{thread}/runs/{id_}", cast_to=httpx2.Response, options=options)
            run["run"], asked_for = answer.json(), answer.headers.get("openai-poll-after-ms", "")
            pause = int(asked_for) / 1000 if asked_for.isdigit() else self.settings.poll_seconds
        late = field(run["run"], "status") not in ENDS
        if late or field(run["run"], "status") == "requires_action":
            runs = client.beta.threads.runs
            self._server.status_of(partial(_quiet, runs.cancel, id_, thread_id=thread))
        return late

    def _messages(self, beta: Any, thread: str, after: str | None = None) -> list[Message]:
        """The thread's messages in order; those after one of them where it is named."""
        listed = list(paged(_quiet(beta.threads.messages.list, thread, order="asc", limit=100)))
        times = [seconds_of(field(message, "created_at")) for message in listed]
        if len(times) > 1 and times[0] is not None and times[-1] is not None and times[0] > times[-1]:
            listed.reverse()  # asked for the oldest first, and answered the other way round
        ids = [field(message, "id") for message in listed]
        wanted = listed[ids.index(after) + 1 :] if after in ids else listed
        return [Message(str(field(message, "role")), text_of(field(message, "content"))) for message in wanted]

    def _reply(self, beta: Any, thread: str, asked: Any, run: Any) -> str:
        """What the run wrote, from the list of messages."""
        if field(run, "status") not in ("completed", "incomplete"):
            return ""
        wrote = [message.text for message in self._messages(beta, thread, after=asked) if message.role == "assistant"]
        return "\n\n".join(wrote)

    def _turn(self, handle: Handle, measured: MeteredTurn, run: Any, late: bool) -> ServerTurn:
        word = str(field(run, "status"))
        error = [field(run, "last_error", "code"), field(run, "last_error", "message")]
        reason = ": ".join(str(said) for said in error if said) or field(run, "incomplete_details", "reason") or word
        if late:
            reason = f"still {word} after {measured.seconds:.0f} s: given up, and asked to stop"
        for name, value in self._limits().items():
            if field(run, name) is None:
                measured.notes.append(f"The server did not confirm {name} {value}.")
        status = "failed" if late else ENDS[word]
        ids = (("run", self._id_of(run)),)
        usage = run_usage(field(run, "usage"))
        return measured.turn(handle, usage, ids, status=status, reason=None if status == "complete" else reason)


def _ids(handle: Handle) -> tuple[str, str]:
    assistant, thread = handle.last("assistant"), handle.last("thread")
    if assistant is None or thread is None:
        raise ConversationGone("This conversation has no thread: it was never created.")
    return assistant, thread


def _quiet(method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call an SDK method that is marked deprecated without its warning, which is for us and not for people.

    Through what the mark wraps, not `warnings.catch_warnings()`: that is one switch for all threads of the process.
    """
    plain = getattr(method, "__wrapped__", None)
    return method(*args, **kwargs) if plain is None else plain(method.__self__, *args, **kwargs)  # type: ignore[attr-defined]
