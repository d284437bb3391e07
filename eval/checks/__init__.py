"""Exact checks beside the judge's model: each a small pure function that speaks only where it is sure.

A check compares one sentence with the evidence and returns a `Finding` (what is wrong, why, where), or None: silence is no
support. `eval.checks.run` asks all of them. What each one finds and how often it is wrong: docs/decisions/0020.
"""
