"""Plumbing that knows no noun of the domain and imports nothing else of ours."""
