"""What TensorBoard is shown: a folder of events for each cell, in `tensorboard/` beside the results."""

import time
from pathlib import Path
from typing import ClassVar

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.plugins.hparams import metadata
from tensorboard.plugins.hparams.api_pb2 import Status
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionEndInfo
from tensorboard.plugins.hparams.summary_v2 import hparams_pb
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from bench.tracking.tracker import TrackedCell, Tracker


class TensorBoard(Tracker):
    """Writes events by TensorBoard's own writer: the one that comes with torch would load torch."""

    ERRORS: ClassVar = (OSError,)

    def __init__(self, suite: str, folder: Path) -> None:
        self._folder = folder / "tensorboard"
        self._folder.mkdir(parents=True, exist_ok=True)

    def log(self, cell: TrackedCell) -> None:
        now = time.time()
        asked = dict(cell.parameters) | ({} if cell.reason is None else {"reason": cell.reason})
        status = Status.STATUS_SUCCESS if cell.reason is None else Status.STATUS_FAILURE
        scalars = [(name, 0, value) for name, value in cell.metrics.items()]
        scalars += [(name, point.step, point.value) for name, points in cell.curves.items() for point in points]
        writer = EventFileWriter(str(self._folder / cell.path))
        writer.add_event(
            Event(wall_time=now, summary=hparams_pb(asked, trial_id=cell.path, start_time_secs=now - cell.seconds))
        )
        for name, step, value in scalars:
            summary = Summary(value=[Summary.Value(tag=name, simple_value=value)])
            writer.add_event(Event(wall_time=now, step=step, summary=summary))
        writer.add_event(Event(wall_time=now, summary=_ended(status, now)))
        writer.close()


def _ended(status: int, now: float) -> Summary:
    """Return the end of a trial. TensorBoard has a function for it only where TensorFlow is installed."""
    said = HParamsPluginData(session_end_info=SessionEndInfo(status=status, end_time_secs=now))
    said.version = metadata.PLUGIN_DATA_VERSION
    plugin = SummaryMetadata.PluginData(plugin_name=metadata.PLUGIN_NAME, content=said.SerializeToString())
    value = Summary.Value(
        tag=metadata.SESSION_END_INFO_TAG,
        tensor=metadata.NULL_TENSOR,
        metadata=SummaryMetadata(plugin_data=plugin),
    )
    return Summary(value=[value])
