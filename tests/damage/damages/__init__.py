"""Classes of damage, folders whose truth is known, and what is measured of a reader between them."""

from damages import alike, catalogue, copies, flips, foreign, gluing, lines, names, redactions, rows, sectors, swaps
from damages.classes import CLASSES, Class, apply
from damages.hurting import Damaged
from damages.written import FULL, TENTH, Written, written

FAMILIES = (names, sectors, flips, lines, gluing, redactions, swaps, rows, catalogue, copies, foreign, alike)

__all__ = ["CLASSES", "FAMILIES", "FULL", "TENTH", "Class", "Damaged", "Written", "apply", "written"]
