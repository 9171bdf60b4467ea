"""The integer program, solved by HiGHS. Imported only where it is needed: with numpy it takes half a second."""

from __future__ import annotations

from collections.abc import Sequence

from highspy import Highs


class _Silent(Highs):
    """HiGHS without the banner that it prints on standard output, where a result belongs, before it can be told."""

    def enableCallbacks(self) -> None:  # noqa: N802 - HiGHS's name; the first thing that its constructor calls
        self.silent()
        super().enableCallbacks()  # type: ignore[no-untyped-call]  # HiGHS types its solver, not this


def fewest_nodes(patterns: Sequence[Sequence[int]], counts: Sequence[int]) -> int:
    """Return the fewest nodes with which patterns of pods, as often as needed, hold so many pods of each item."""
    model = _Silent()  # type: ignore[no-untyped-call]  # the same
    nodes = [model.addIntegral(lb=0) for _ in patterns]
    for place, wanted in enumerate(counts):
        terms = [pattern[place] * node for pattern, node in zip(patterns, nodes, strict=True) if pattern[place]]
        model.addConstr(model.qsum(terms) >= wanted)
    model.minimize(model.qsum(nodes))
    return round(model.getObjectiveValue())
