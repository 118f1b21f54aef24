"""`new`: a package for a plug-in, which passes its contract tests as it stands."""

from bench.commands.options import NewOptions
from bench.config.reading import default_config
from bench.skeletons.writing import write_package


def main(options: NewOptions) -> int:
    """Write the package, say what comes next, and return the exit code."""
    taken = default_config().strategies if options.what == "strategy" else ()
    folder = write_package(options.what, options.name, options.folder, taken=taken)
    print(f"{folder}: the {options.what} {options.name!r}, which passes its contract tests as it stands:")
    print(f"  cd {folder}")
    print("  python -m pip install -e . pytest")
    print("  python -m pytest")
    print("  bench run")
    return 0
