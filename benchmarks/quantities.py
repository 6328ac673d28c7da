"""The runs of the scripts, and the quantities calculated from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeAlias

COST = "cost"
"""The figure that the counter measures. All other figures come from runs without the counter."""


class Run(NamedTuple):
    """A run of a script from the folder ``workloads``.

    Attributes:
        script: The name of the script, which ends with the name of its environment.
        scheme: The scheme of the server's URL.
        number: The number in the path of the URL: see ``benchmarks.server``.
        repeats: How often the script repeats its work.
    """

    script: str
    scheme: str = "http"
    number: int = 0
    repeats: int = 1


if TYPE_CHECKING:
    Figures: TypeAlias = Mapping[Run, Mapping[str, float]]
    """The figures measured in one round, by run and name."""


@dataclass(frozen=True)
class Quantity:
    """A figure of a run, or the difference from the same figure of a shorter run.

    Attributes:
        run: The run.
        less: The shorter run to subtract, if any.
        per: The number of calls or checks to divide by.
        figure: The name of the figure.
    """

    run: Run
    less: Run | None = None
    per: int = 1
    figure: str = COST

    @property
    def runs(self) -> list[Run]:
        """The runs to measure."""
        return [self.run] if self.less is None else [self.run, self.less]

    def value(self, figures: Figures) -> float:
        """Calculate the quantity from the figures of the runs."""
        less = 0 if self.less is None else figures[self.less][self.figure]
        return (figures[self.run][self.figure] - less) / self.per


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes:
        name: The name of the benchmark.
        ours: The quantity of this library.
        baseline: What it is compared with: another quantity, a known number, or None.
        baseline_name: The name of the baseline.
        target: The target of the ratio, or of our quantity if there is no baseline.
        is_minimum: Whether the target is a minimum instead of a maximum.
        unit: The unit, if it is not the unit of the cost.
        is_slow: Whether ``--quick`` skips this row.
    """

    name: str
    ours: Quantity
    baseline: Quantity | float | None
    baseline_name: str
    target: float
    is_minimum: bool = False
    unit: str = ""
    is_slow: bool = False

    @property
    def is_cost(self) -> bool:
        """Whether the row compares costs, which the counter measures."""
        return self.ours.figure == COST

    @property
    def runs(self) -> list[Run]:
        """The runs to measure: ours, then those of the baseline."""
        return [*self.ours.runs, *(self.baseline.runs if isinstance(self.baseline, Quantity) else ())]
