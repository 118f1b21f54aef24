"""All domains that there are, built in and of installed packages, found by name or by family."""

import sys
from collections.abc import Mapping
from functools import cache

from bench.domain import DomainName
from bench.domains.contract import Domain
from bench.errors import PluginError, unknown_name
from bench.registry import BUILT_IN, DOMAINS, load_instance, names


def all_domains() -> Mapping[DomainName, Domain]:
    """Return all domains by name, those built in first.

    Raises `PluginError` if one cannot be loaded, or two have a family in common.
    """
    return _installed(tuple(sys.path))


@cache
def _installed(path: tuple[str, ...]) -> Mapping[DomainName, Domain]:
    """Return all domains of packages on a path, which are looked for once: a config asks for them many times."""
    ordered = dict.fromkeys((*BUILT_IN[DOMAINS], *names(DOMAINS)))
    found = {name: load_instance(DOMAINS, name, Domain) for name in ordered}
    of_family: dict[str, Domain] = {}
    for name, domain in found.items():
        if domain.name != name:
            raise PluginError(
                f"the domain {name!r} calls itself {domain.name!r}: its entry point and its name have to be alike"
            )
        other = of_family.setdefault(domain.family, domain)
        if other is not domain:
            raise PluginError(f"the domains {other.name!r} and {name!r} both call their tasks {domain.family!r}")
    return found


def domain_named(name: DomainName) -> Domain:
    """Return the domain of a name. Raises `UnknownNameError` if there is none."""
    known = all_domains()
    if name not in known:
        raise unknown_name("domain", name, known)
    return known[name]


def domain_of(family: str) -> Domain:
    """Return the domain of a family of tasks. Raises `UnknownNameError` if there is none."""
    for domain in all_domains().values():
        if domain.family == family:
            return domain
    raise unknown_name("task family", family, families())


def families(address: str = "") -> tuple[str, ...]:
    """Return the families of tasks, or those whose data are read from a kind of address, such as "folder"."""
    return tuple(domain.family for domain in all_domains().values() if not address or address in domain.addresses)
