"""What every stand-in of the neighbourhood has in common."""

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from .startable import Startable

type Action = Callable[[Input], Awaitable[dict[str, Any]]]


class BadInput(Exception):
    """Input that an action cannot take; the text says what is wrong with it."""


class Unreachable(Exception):
    """Home Assistant did not answer; the text says how."""


class Input:
    """The fields that someone gave to an action."""

    def __init__(self, fields: object) -> None:
        """Take the parsed body of a request.

        Raises:
            BadInput: It is not a JSON object.
        """
        if not isinstance(fields, dict):
            raise BadInput("a JSON object is expected")
        self._fields: dict[str, Any] = fields

    def __contains__(self, name: str) -> bool:
        """Return whether a field was given and is not null."""
        return self._fields.get(name) is not None

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text.

        Raises:
            BadInput: It is missing or no text.
        """
        value = self._get(name, default)
        if not isinstance(value, str) or not value:
            raise BadInput(f"{name} must be a text")
        return value

    def number_or_text(self, name: str) -> str:
        """Return the text of a number that may have been given as text.

        Raises:
            BadInput: It is missing or neither.
        """
        value = self._get(name, None)
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise BadInput(f"{name} must be a number")
        return str(value)

    def choice(
        self, name: str, choices: Sequence[str], default: str | None = None
    ) -> str:
        """Return one of a few texts.

        Raises:
            BadInput: It is missing or another text.
        """
        value = self._get(name, default)
        if value not in choices:
            raise BadInput(f"{name} must be one of {', '.join(choices)}")
        return str(value)

    def integer(self, name: str, default: int | None = None) -> int:
        """Return an integer that is not negative.

        Raises:
            BadInput: It is missing or something else.
        """
        value = self._get(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise BadInput(f"{name} must be a whole number, zero or more")
        return value

    def seconds(self, name: str, default: float | None = None) -> float:
        """Return a duration.

        Raises:
            BadInput: It is missing or no number above zero.
        """
        value = self._get(name, default)
        if (
            not isinstance(value, int | float)
            or isinstance(value, bool)
            or not 0 < value < 1e6
        ):
            raise BadInput(f"{name} must be a number of seconds above zero")
        return float(value)

    def boolean(self, name: str, default: bool | None = None) -> bool:
        """Return true or false.

        Raises:
            BadInput: It is missing or neither.
        """
        value = self._get(name, default)
        if not isinstance(value, bool):
            raise BadInput(f"{name} must be true or false")
        return value

    def _get(self, name: str, default: Any) -> Any:
        value = self._fields.get(name)
        if value is None:
            value = default
        if value is None:
            raise BadInput(f"{name} is missing")
        return value


@dataclass(frozen=True)
class Option:
    """An option of the command line that a stand-in takes.

    Attributes:
        name: Also that of the argument of the stand-in's constructor.
        kind: Turns the text into a value.
        default: The value without the option.
        help: Shown by `--help`.
        required: Whether a stand-in that runs alone needs it.
        choices: The texts that are taken, or none for any.
    """

    name: str
    kind: Callable[[str], Any]
    default: Any
    help: str
    required: bool = False
    choices: tuple[str, ...] = ()


class Neighbour(Startable):
    """A stand-in that the control server shows and steers.

    Attributes:
        name: In addresses and on the command line.
        options: Of the command line.
    """

    name: ClassVar[str]
    options: ClassVar[tuple[Option, ...]]

    @property
    @abstractmethod
    def actions(self) -> Mapping[str, Action]:
        """What can be asked of it; actions raise BadInput and Unreachable."""

    @abstractmethod
    def describe(self) -> str:
        """Return a line that says what runs where."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Return what the control page shows."""
