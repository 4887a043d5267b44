"""Lists of any length, a page at a time."""

from __future__ import annotations

from typing import Callable, Iterable, Iterator, List, Optional, TypeVar

T = TypeVar("T")


class Page(List[T]):
    """A list that knows where the next one begins."""

    #: ``X-Next-Cursor``: where the next page begins, if there is one.
    next_cursor: Optional[str]

    def __init__(self, items: Iterable[T] = (), next_cursor: Optional[str] = None) -> None:
        super().__init__(items)
        self.next_cursor = next_cursor


def items_of(ask: Callable[[Optional[str]], Page[T]], cursor: Optional[str] = None) -> Iterator[T]:
    """Every item of every page. A server that goes in circles is left."""
    while True:
        page = ask(cursor)
        yield from page
        if page.next_cursor is None or page.next_cursor == cursor:
            return
        cursor = page.next_cursor
