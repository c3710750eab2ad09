"""The top-down map of a table, and where its pixels lie."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TableView:
    """How the top-down map relates to the table: row r, column c ↔ metres x, y in the base frame.

    x grows with the row (away from the arm), y grows with the column, as in the CLIPort heightmap.
    """

    x: tuple[float, float] = (0.25, 0.75)
    y: tuple[float, float] = (-0.5, 0.5)
    pixel: float = 0.00625
    """Metres per pixel."""

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of the map."""
        return round((self.x[1] - self.x[0]) / self.pixel), round((self.y[1] - self.y[0]) / self.pixel)

    def pixel_of(self, x: float, y: float) -> tuple[int, int]:
        """The (row, column) that holds a point; a point outside is a ValueError."""
        if not (self.x[0] <= x <= self.x[1] and self.y[0] <= y <= self.y[1]):
            raise ValueError(f"expected a point on the table, x in {self.x} m and y in {self.y} m, got ({x}, {y})")
        height, width = self.shape
        return (
            min(int((x - self.x[0]) / self.pixel), height - 1),
            min(int((y - self.y[0]) / self.pixel), width - 1),
        )

    def point_of(self, row: float, column: float) -> tuple[float, float]:
        """The (x, y) in metres of a pixel's centre."""
        return self.x[0] + (row + 0.5) * self.pixel, self.y[0] + (column + 0.5) * self.pixel
