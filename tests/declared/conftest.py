"""Commands, as the tests of records call them."""

from tests.records.conftest import invoked, told

__all__ = ["invoked", "told"]
