from uuid import UUID

import uuid_utils.compat


def new_id() -> UUID:
    """A UUIDv7: sorts by time of creation, and is made here because PostgreSQL 15 cannot."""
    return uuid_utils.compat.uuid7()
