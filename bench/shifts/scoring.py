"""A test split under each of its shifts: those of its domain, of installed packages, and of the task itself.

A package offers a `Shift` under the entry point `bench.shifts`; a task brings examples of other places with its split.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.domain import DomainName
from bench.domains.registered import domain_named
from bench.domains.shift import Shift
from bench.errors import DataError, PluginError
from bench.registry import SHIFTS, load_instance, names
from bench.task import Elsewhere, Examples


@dataclass(frozen=True, slots=True, eq=False)
class Shifted:
    """What is tested on under a shift, by its name and what that is.

    These are the examples of the test split in their order, changed or without the first of them; or, where they are
    from `elsewhere`, others altogether.
    """

    name: str
    title: str
    examples: Examples
    elsewhere: bool = False


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


def shift_test(test: Examples, elsewhere: Sequence[Elsewhere] = ()) -> tuple[Shifted, ...]:
    """Return a test split under each of its shifts, those of the task last.

    Raises `DataError` if one of these is called like one of the domain.
    """
    shifts = shifts_of(test.raw.domain)
    taken = {shift.name for shift in shifts} & {other.name for other in elsewhere}
    if taken:
        raise DataError(f"the task's own shift {min(taken)!r} is called like one of its domain: give it another name")
    changed = (Shifted(shift.name, shift.title, shift.apply(test)) for shift in shifts)
    others = (Shifted(other.name, other.title, other.examples, elsewhere=True) for other in elsewhere)
    return (*changed, *others)
