"""How often the exact checks are right. Run as `python -m eval.check_figures`."""
