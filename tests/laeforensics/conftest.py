"""The makings and the generator are imported by name: pytest's importlib mode puts no folder on the path."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
for folder in (HERE, HERE.parents[1] / "fixtures"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
