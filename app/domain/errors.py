"""Refusals. Each has a stable `code`; its words in kk, ru and en stand in app/messages.toml."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a request: a message code and a JSON pointer (RFC 6901) to the place."""

    code: str
    pointer: str = ""
    details: dict[str, str | int] = field(default_factory=dict[str, str | int])


class DomainError(Exception):
    """A refusal the caller can understand and act on."""

    def __init__(self, code: str, *, faults: tuple[Fault, ...] = (), **details: str | int) -> None:
        super().__init__(code)
        self.code = code
        self.details = details
        self.faults = faults


class NotFound(DomainError):
    """It does not exist, or not for this caller: the answer is the same."""

    def __init__(self, noun: str) -> None:
        super().__init__("not_found", noun=noun)


class Conflict(DomainError):
    """It cannot be done to the thing as it stands now."""


class Invalid(DomainError):
    """What was sent cannot be right, whatever the state of things."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("invalid", faults=faults)


class Forbidden(DomainError):
    """The caller is known and may not do this."""


class Unauthenticated(DomainError):
    """The caller is not known, or no longer."""

    def __init__(self, code: str = "unauthenticated") -> None:
        super().__init__(code)


class PreconditionFailed(DomainError):
    """It has changed since the caller read it."""

    def __init__(self) -> None:
        super().__init__("changed_since")


class PreconditionRequired(DomainError):
    """A change must say, by If-Match, which version it is a change of."""

    def __init__(self) -> None:
        super().__init__("if_match_required")


class TooManyRequests(DomainError):
    """Refused for now; `retry_after_s` is in whole seconds."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("too_many_requests", retry_after_s=retry_after_s)
        self.retry_after_s = retry_after_s


class Unavailable(DomainError):
    """Nothing was done; the same request may succeed in a moment."""

    def __init__(self, retry_after_s: int = 1) -> None:
        super().__init__("unavailable", retry_after_s=retry_after_s)
        self.retry_after_s = retry_after_s
