"""Who may import whom."""

import pytest

pytest.importorskip("importlinter")
