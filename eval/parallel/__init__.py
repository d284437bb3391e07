"""The parallel set: the same invented facts in Chinese and in English, and a question in each language about every one.

Data in BEIR layout (`README.md` beside this says what it is); `python -m eval.parallel` prints how well the search crosses
languages on it. Importing this module reads nothing.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
