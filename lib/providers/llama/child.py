"""The model on this machine: llama.cpp, in a process of its own.

Run by file path, never imported: a native crash here cannot take the app down. Its parameters come as one JSON line on stdin
(so the API key is in nobody's process list), its port goes out as one JSON line on stdout, and when stdin ends the app is
gone, however it ended, and so is this.

The rule: it listens on 127.0.0.1 only, wants its key, and lets no web page of another origin read an answer.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from typing import Any


def main() -> None:
    """Serve until the parent goes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the app; an exit by it would crash here
    wanted = json.loads(sys.stdin.readline())
    threading.Thread(target=_leave_with_the_parent, daemon=True).start()
    import xllamacpp  # type: ignore[import-untyped]  # it ships no types

    server = xllamacpp.Server(_parameters(xllamacpp.CommonParams(), wanted))
    sys.stdout.write(json.dumps({"url": server.listening_address}) + "\n")
    sys.stdout.flush()
    threading.Event().wait()


def _parameters(params: Any, wanted: dict[str, Any]) -> Any:
    params.model.path = wanted["model"]
    params.model_alias = {wanted["name"]}
    params.hostnames = ["127.0.0.1"]
    params.port = 0  # any free one
    params.api_keys = [wanted["key"]]
    params.cors_origins = ""  # by default every origin is let in; "null" would let in sandboxed frames and local files
    params.cors_origins_explicit = True
    params.cors_credentials = False
    params.n_parallel = wanted["slots"]
    params.n_ctx = wanted["slots"] * wanted["slot_tokens"]
    params.kv_unified = False  # each slot has its own context: what fits does not depend on who else is talking
    params.n_cache_reuse = 0  # shifting cached tokens would let the model see what was left out
    params.cache_ram_mib = 256
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = wanted["threads"]
    params.offline = True
    params.ui = False
    params.verbosity = 0
    return params


def _leave_with_the_parent() -> None:
    """stdin ends when the parent does, kill -9 included; an orderly exit would crash while a reply is being written."""
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
