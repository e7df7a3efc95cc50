"""Ingests a synthetic ShareGPT file and a synthetic Posts.xml beside the programs that would be used otherwise.

Ours is the whole job on local[2], from the start of the JVM to the summary, with --heap for driver and tasks together. The peers
are FastChat's own cleaning of each dialogue after json.load, and a plain reader of the dump (peer.py), each in one process.
They read a smaller file from the same generator, since they need many times the file's size in memory and many minutes. Megabytes
a second of one core are megabytes by the processor seconds of the process and all its threads; beside that of the whole job stands
what the file costs beyond a file of 1 MB, since the start of Java and Spark costs the same whatever is read.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
PEER = {"sharegpt": "fastchat", "posts": "posts"}
OPTIONS = {
    "sharegpt": ["--source", "sharegpt", "--html", "always"],
    "posts": ["--source", "stackexchange", "--site", "coffee.stackexchange.com"],
}

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("folder", type=pathlib.Path, help="for the files, some 8 GB")
parser.add_argument("--sharegpt", type=int, default=2000, metavar="MB")
parser.add_argument("--posts", type=int, default=1000, metavar="MB")
parser.add_argument("--peers", type=int, default=64, metavar="MB", help="size of the peers' files")
parser.add_argument("--heap", default="2g")
arguments = parser.parse_args()
FOLDER = arguments.folder


def generated(kind, megabytes):
    path = FOLDER / f"{kind}-{megabytes}"
    if not path.exists():
        unfinished = path.with_suffix(".part")
        subprocess.run([sys.executable, HERE / "generate.py", kind, str(megabytes), unfinished], check=True)
        unfinished.rename(path)
    return path


def measured(command, log):
    """Standard output of a process; its wall time, processor time and memory by wait4."""
    start = time.perf_counter()
    with open(log, "w") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{command} ended with {status}; see {log}")
    return output, time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def ours(kind, megabytes):
    path = generated(kind, megabytes)
    name = f"{kind}-{megabytes}-{os.getpid()}"
    output, wall, cpu, memory = measured(
        [HERE.parent.parent / "submit/distillery", "ingest", *OPTIONS[kind], "--input", str(path), "--run-id", name,
         "--warehouse", str(FOLDER / "warehouse"), "--", "--driver-memory", arguments.heap, "--master", "local[2]"],
        FOLDER / f"{name}.log")
    summary = json.loads(output.splitlines()[-1])
    figures = summary["figures"]
    if figures["units_in"] != figures["units_kept"] + figures["units_duplicate"] + figures["units_rejected"]:
        raise SystemExit(f"The units do not add up: {figures}")
    size = path.stat().st_size / 1e6
    print(f"{kind}: {size:.0f} MB in {figures['tasks']} tasks, {figures['units_in']} units, {figures['units_kept']} kept, "
          f"{figures['rows']} rows, rejects {summary['rejects']}: {summary['seconds']:.1f} s of job, {wall:.1f} s in all, "
          f"{cpu:.1f} s of processor, {size / wall:.1f} MB/s, {size / cpu:.2f} MB/s a core, at most {memory:.0f} MB resident", flush=True)
    return size, wall, cpu


FOLDER.mkdir(parents=True, exist_ok=True)
for kind, megabytes in (("sharegpt", arguments.sharegpt), ("posts", arguments.posts)):
    output, _, cpu, memory = measured(
        [sys.executable, HERE / "peer.py", PEER[kind], generated(kind, arguments.peers)], FOLDER / "peer.log")
    print(f"{output.strip()}, at most {memory:.0f} MB resident", flush=True)
    peer = float(output.rsplit(" MB/s a core", 1)[0].split()[-1])
    one_size, one_wall, one_cpu = ours(kind, 1)
    size, wall, cpu = ours(kind, megabytes)
    beyond = (size - one_size) / (cpu - one_cpu)
    print(f"{kind}: {size / cpu / peer:.1f} times the peer a core; beyond the start {beyond:.2f} MB/s a core, {beyond / peer:.1f} times; "
          f"{size / wall / peer:.1f} times by the clock on two cores", flush=True)
