"""Makes the seeds of the fuzzer's targets for files of this module, tiny and whole: python make_fuzz_seeds.py. They lie in ../fuzz."""
import json
import os
import struct
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
MAGIC = b"DISTTOK1"


def put(target, name, data):
    folder = os.path.join(HERE, "..", "fuzz", target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as out:
        out.write(data)


def pair(first, second):
    """As FuzzedFolder takes two files."""
    first = json.dumps(first, indent=1).encode()
    return struct.pack("<H", len(first)) + first + second


# Checkpoints: two rows of three values.
def crc32c(data):
    sum = 0xFFFFFFFF
    for byte in data:
        sum ^= byte
        for _ in range(8):
            sum = sum >> 1 ^ (0x82F63B78 if sum & 1 else 0)
    return sum ^ 0xFFFFFFFF


def checkpoint(state):
    values = struct.pack("<6f", 0, 1, -1, 0.5, 2, 1e-3)
    return pair({"format": 1, "run_id": "r1", "identity": {"seed": "7"},
                 "state": {"step": 3, "tokens": 40, "seconds": 1.5, "total_steps": 9, "best": 0.25, "best_step": 2, "evaluations_since_best": 1,
                           "stopped_early": False, **state},
                 "slots": [{"name": "head", "rows": 2, "columns": 3}],
                 "files": {"parameters.f32": {"bytes": len(values), "crc32c": crc32c(values)}}}, values)


put("CheckpointFuzz", "plain.bin", checkpoint({}))
put("CheckpointFuzz", "figures.bin", checkpoint({"best": "Infinity", "stepper": {"kl_coef": 0.2, "spread": "NaN"}}))


# Token tables: rows as SequenceCodec has them.
def row(ids, wide, runs, starts, label, figures):
    data = bytes([len(ids), 4 if wide else 2]) + b"".join(struct.pack(">I" if wide else ">H", each) for each in ids)
    data += bytes([len(runs)]) + b"".join(bytes([count]) + struct.pack(">f", weight) for count, weight in runs)
    data += bytes([len(starts)]) + bytes(here - before for before, here in zip(starts, starts[1:]))
    return data + bytes([label + 1, len(figures)]) + b"".join(struct.pack(">f", each) for each in figures)


ROWS = {"packed": row([5, 6, 7], False, [(1, 0), (2, 1)], [0, 2], -1, []),
        "pair": row([70000, 6], True, [(1, 0), (1, 0.5)], [0], 3, [-0.5, 0])}
for name, data in ROWS.items():
    put("SequenceFuzz", name + ".bin", data)

rows = [data + struct.pack(">I", zlib.crc32(data)) for data in ROWS.values()]
places = [len(MAGIC) + sum(map(len, rows[:i])) for i in range(len(rows) + 1)]
part = MAGIC + b"".join(rows) + b"".join(struct.pack(">q", place) for place in places) + struct.pack(">q", len(rows)) + MAGIC
COUNTS = ("rows_read", "rows_kept", "rows_cut", "rows_split", "rows_without_stop", "rows_ending_with_user", "empty_answers", "tokens_read", "tokens_cut",
          "tokens_shared", "ends_added")
manifest = {"version": 4, "key": "k", "folder": "a", "settings": "text",
            "parts": [{"file": "part-0.tokens", "rows": 2, "bytes": len(part), "tokens": 5, "learned": 3, "longest": 3, "cut": 0, "shared": 0, "ends": 0}],
            "counts": {**dict.fromkeys(COUNTS, 0), "rows_read": 3, "rows_kept": 2, "tokens_read": 5}, "rejects": {"empty": 1}}
put("TokenTableFuzz", "two.bin", pair(manifest, part))
