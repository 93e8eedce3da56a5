"""A base class for what must be closed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Closing"]


class Closing(ABC):
    """A base for what must be closed: leaving its ``with`` block calls ``close``."""

    @abstractmethod
    def close(self) -> None:
        """Release everything; harmless when called again."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
