"""Faults of real servers, tried against the app's own parts: what a person sees, what is lost, and how it recovers.

`python -m tests.faults` tries all of them and writes docs/faults.md from what it observed. A fault is a function that
brings the fault about, does what a person would do meanwhile, and lifts it again; see stage.py for what it works with.
"""
