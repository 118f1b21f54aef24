"""The command `cache`: what is kept between runs, shown and cleared."""

from bench.commands.options import CacheOptions
from bench.runtime.cache import default_cache


def main(options: CacheOptions) -> int:
    """Clear the cache if asked to, show what is in it, and return the exit code."""
    cache = default_cache()
    if options.clear:
        cache.clear()
    entries = list(cache.entries())
    for entry in reversed(entries):
        print(f"{entry.size_bytes / 2**20:9.1f} MiB  {entry.description}")
    total = sum(entry.size_bytes for entry in entries) / 2**20
    print(f"{total:9.1f} MiB  in {len(entries)} entries of at most {cache.limit_bytes / 2**20:.0f} MiB: {cache.root}")
    return 0
