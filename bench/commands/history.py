"""`history`: many runs side by side, and since when something changed."""

from bench.commands.compare import write_output
from bench.commands.options import HistoryFormat, HistoryOptions
from bench.gate.history import History, find_nights, read_history
from bench.gate.nights import to_json, to_markdown, to_text


def main(options: HistoryOptions) -> int:
    """Print the history of results folders, draw it if asked to, and return the exit code."""
    history = read_history(find_nights(options.folders))
    if options.chart is not None:
        from bench.gate.chart import chart  # noqa: PLC0415 (what draws takes a second to load)

        write_output(options.chart, chart(history))
    if options.out is None:
        print(_written(history, options.format), end="")
    else:
        write_output(options.out, _written(history, options.format))
        print(to_text(history), end="")
    return 0


def _written(history: History, name: HistoryFormat) -> str:
    if name == "csv":
        from bench.gate.spreadsheet import to_csv  # noqa: PLC0415 (loads pandas)

        return to_csv(history)
    return {"text": to_text, "markdown": to_markdown, "json": to_json}[name](history)
