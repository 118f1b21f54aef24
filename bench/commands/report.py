"""`report`, and the report at the end of a run."""

from bench.commands.options import ReportOptions
from bench.report.stamp import kept_leaderboard
from bench.results.store import Store


def main(options: ReportOptions) -> int:
    """Make the report of a results folder anew, print its leaderboard, and return the exit code."""
    show_report(Store(options.folder), anew=True)
    return 0


def show_report(store: Store, *, anew: bool) -> None:
    """Print the leaderboard; make the report first, if `anew` or if the one on disk is not that of the cells."""
    leaderboard = None if anew else kept_leaderboard(store)
    if leaderboard is None:
        from bench.report.writing import write_report  # noqa: PLC0415 (with all that draws it takes a second to load)

        leaderboard = write_report(store)
    print(leaderboard)
    print(f"\nreport: {store.root / 'index.html'}, or as text {store.root / 'report.md'}")
