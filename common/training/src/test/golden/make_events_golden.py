"""Writes events.tfevents with TensorBoard's own writer: what EventFileTest compares ours with.

    python make_events_golden.py ../resources/golden/events.tfevents

Made with tensorboard 2.21.0.
"""

import sys

from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

events = [event_pb2.Event(wall_time=1.5, file_version="brain.Event:2")]
for step, wall_time, tag, value in [
    (1, 1.5, "train/loss", 4.25),
    (1, 1.5, "eval/loss", 0.1),
    (300, 1700000000.125, "train/grad_norm/layer_0", -3e-9),
]:
    summary = summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag=tag, simple_value=value)])
    events.append(event_pb2.Event(wall_time=wall_time, step=step, summary=summary))

with open(sys.argv[1], "wb") as file:
    writer = RecordWriter(file)
    for event in events:
        writer.write(event.SerializeToString())
    writer.flush()
