"""What is closed at the end of a block."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Closing"]


class Closing(ABC):
    """Something that is good for the length of a ``with`` block, whose end closes it."""

    @abstractmethod
    def close(self) -> None:
        """Give back what is held; harmless when called again."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
