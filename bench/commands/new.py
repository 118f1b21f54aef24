"""`new`: a package for a plug-in, which passes its contract tests as it stands."""

from bench.commands.options import NewOptions
from bench.skeletons.writing import write_package


def main(options: NewOptions) -> int:
    """Write the package, say what comes next, and return the exit code."""
    folder = write_package(options.what, options.name, options.folder)
    print(f"{folder}: the {options.what} {options.name!r}, which passes its contract tests as it stands:")
    print(f"  cd {folder}")
    print("  python -m pip install -e . pytest")
    print("  python -m pytest")
    print("  bench run")
    return 0
