"""What can be started and stopped, also as a context."""

from abc import ABC, abstractmethod
from typing import Self


class Startable(ABC):
    """Something that serves or sends from its start to its stop."""

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.stop()

    @abstractmethod
    async def start(self) -> None:
        """Begin to serve or to send."""

    @abstractmethod
    async def stop(self) -> None:
        """End all that was begun."""
