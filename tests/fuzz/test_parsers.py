"""The short form: a few hundred inputs for whatever reads what comes from outside.

`scripts/fuzz` is the long one.
"""

from random import Random

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from .mutation import Mutator
from .targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_bad_input(name: str) -> None:
    """Whatever comes raises only what is documented, and becomes nothing else."""
    target = TARGETS[name]

    @settings(
        max_examples=target.examples,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.randoms(use_true_random=False, note_method_calls=False))
    def feed(random: Random) -> None:
        made = target.make(Mutator(random))[: target.longest]
        try:
            for check in target.feed(made):
                check()
        except Exception as err:
            err.add_note(f"{name} was fed with {made!r:.2000}")
            raise

    feed()
