"""The laboratory of tests/hostile serves here too; hypothesis' profiles: quick by default, long under `-m fuzz`."""

import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[2]
for folder in (ROOT / "tests" / "property", ROOT / "tests" / "hostile", ROOT / "fixtures"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

settings.register_profile(
    "evidence",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=20,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
settings.load_profile("evidence")
