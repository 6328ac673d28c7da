"""What is measured: runs of scripts, and what is calculated from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeAlias

COST = "cost"
"""What the counter measures. Any other figure is one of a run without it."""


class Run(NamedTuple):
    """A run of a script of the folder ``work``.

    Attributes:
        script: Its name, which ends with that of the environment that it needs.
        scheme: By which scheme it reaches the server.
        number: What the server is told: see there.
        times: How many times the script does its work.
    """

    script: str
    scheme: str = "http"
    number: int = 0
    times: int = 1


if TYPE_CHECKING:
    Figures: TypeAlias = Mapping[Run, Mapping[str, float]]
    """What was measured in one round."""


@dataclass(frozen=True)
class Quantity:
    """A figure of a run, or how it differs from that of a shorter run.

    Attributes:
        run: What is run.
        less: The shorter run.
        per: How many calls, or checks, the difference is shared by.
        figure: The name of the figure.
    """

    run: Run
    less: Run | None = None
    per: int = 1
    figure: str = COST

    @property
    def runs(self) -> list[Run]:
        """The runs that it takes."""
        return [self.run] if self.less is None else [self.run, self.less]

    def value(self, figures: Figures) -> float:
        """Calculate it from the figures of the runs."""
        less = 0 if self.less is None else figures[self.less][self.figure]
        return (figures[self.run][self.figure] - less) / self.per


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes:
        work: What is done.
        ours: What this library needs for it.
        other: What it is compared with: another quantity, or a known number.
        called: How the table calls the other.
        goal: What the ratio of the two is to be, or ours where there is no other.
        is_least: Whether the goal is the least, and not the most.
        unit: The unit of a quantity that is no cost.
        is_slow: Whether the short form leaves it out.
    """

    work: str
    ours: Quantity
    other: Quantity | float | None
    called: str
    goal: float
    is_least: bool = False
    unit: str = ""
    is_slow: bool = False

    @property
    def is_cost(self) -> bool:
        """Whether it is about cost, and not about what runs without the counter tell."""
        return self.ours.figure == COST

    @property
    def runs(self) -> list[Run]:
        """The runs that it takes: ours, and then the other's."""
        return [*self.ours.runs, *(self.other.runs if isinstance(self.other, Quantity) else ())]
