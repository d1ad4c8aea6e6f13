"""Commands, as the tests of records call them."""

from tests.records.conftest import invoked, refused, told

__all__ = ["invoked", "refused", "told"]
