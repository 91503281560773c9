"""The processes that work by themselves: `python -m workers.main`."""
