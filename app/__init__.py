"""Narkostop: coordinates a city's volunteers and traces every published count to its facts."""

from importlib.metadata import version

VERSION = version("narkostop")
