"""The rulebook: what may happen to whom, in plain Python."""
