"""The shifts of a domain, its own and those of installed packages, and a test split under each of them.

A package offers a `Shift` under the entry point `bench.shifts`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.domain import DomainName
from bench.domains.registered import domain_named
from bench.domains.shift import Shift
from bench.errors import PluginError
from bench.registry import SHIFTS, load_instance, names
from bench.task import Examples


@dataclass(frozen=True, slots=True, eq=False)
class Shifted:
    """The test split of a task under a shift."""

    shift: Shift
    examples: Examples


def shifts_of(domain: DomainName) -> tuple[Shift, ...]:
    """Return the shifts that examples of a domain are scored under.

    Raises `PluginError` if one cannot be loaded, or has the name of another one.
    """
    found: dict[str, Shift] = {}
    for shift in (*domain_named(domain).shifts(), *offered_shifts(domain)):
        if shift.name in found:
            raise PluginError(f"two shifts of the domain {domain!r} are called {shift.name!r}: uninstall one of them")
        found[shift.name] = shift
    return tuple(found.values())


def offered_shifts(domain: DomainName) -> Sequence[Shift]:
    """Return the shifts of a domain that installed packages offer. Raises `PluginError` if one cannot be loaded."""
    offered = (load_instance(SHIFTS, name, Shift) for name in names(SHIFTS))
    return [shift for shift in offered if shift.domain == domain]


def shift_test(test: Examples) -> tuple[Shifted, ...]:
    """Return a test split under each of its shifts."""
    return tuple(Shifted(shift, shift.apply(test)) for shift in shifts_of(test.raw.domain))
