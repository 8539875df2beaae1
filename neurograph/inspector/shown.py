"""How every card shows itself: as text on a terminal, as HTML and mathematics in a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neurograph.inspector.equations import Equation
    from neurograph.inspector.parts import Sheet


class Shown:
    """What all cards can do, given a `sheet` and, if they have any, `equations`."""

    def sheet(self, digits: int = 6, limit: int = 12) -> Sheet:
        """What the card says, before it is set as text, HTML or LaTeX."""
        raise NotImplementedError

    def equations(self, digits: int = 6) -> Sequence[Equation]:
        """The card's sums, in symbols and in numbers."""
        return ()

    def text(self, digits: int = 6, limit: int = 12) -> str:
        """The card as text; tables of more than `limit` rows keep the largest and count the rest."""
        from neurograph.inspector.text import as_text

        return as_text(self.sheet(digits, limit))

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        from neurograph.inspector.html import as_fragment

        return as_fragment(self.sheet())

    def _repr_latex_(self) -> str | None:
        from neurograph.inspector.latex import as_mathematics

        found = self.equations()
        return as_mathematics(found) if found else None

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        made = {"text/plain": self.text(), "text/html": self._repr_html_(), "text/latex": self._repr_latex_()}
        return {
            mime: text
            for mime, text in made.items()
            if text is not None and (not include or mime in include) and mime not in (exclude or ())
        }
