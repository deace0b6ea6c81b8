"""Runs all benchmarks (`python -m tests.benchmarks`). They print ratios against baselines and assert nothing."""

from __future__ import annotations

import importlib
import sys

NAMES = (
    "bench_storage",
    "bench_page",
    "bench_switch",
    "bench_first_token",
    "bench_record",
    "bench_counting",
    "bench_trimming",
    "bench_recall",
)

for name in sys.argv[1:] or NAMES:
    importlib.import_module(f"tests.benchmarks.{name}").main()
