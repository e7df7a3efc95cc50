"""See benchmarks/fuzz/wholes. Usage: wholes.py HOME FILES SEED WORK"""
import bz2
import glob
import gzip
import json
import os
import random
import re
import shutil
import subprocess
import sys

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import zstandard

home, files, seed, work = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
ROWS = 20
WORDS = "river bread lamp stone winter garden letter market bridge copper window engine paper island music".split()
draw = random.Random(seed)


def words(least, most):
    return " ".join(draw.choices(WORDS, k=draw.randint(least, most)))


def sharegpt(mark):
    return {"id": mark, "conversations": [{"from": "human", "value": f"Tell of {mark}, {words(3, 9)}?"}, {"from": "gpt", "value": f"{mark}: {words(5, 30)}."}]}


def hc3(mark):
    return {"question": f"What is {mark} {words(2, 6)}?", "human_answers": [f"{mark} {words(5, 20)}."], "chatgpt_answers": [f"As {mark}: {words(5, 20)}."]}


def hh(mark):
    return {"chosen": f"\n\nHuman: About {mark}?\n\nAssistant: {words(4, 12)}.", "rejected": f"\n\nHuman: About {mark}?\n\nAssistant: No {words(2, 8)}."}


def alpaca(mark):
    return {"instruction": f"Name {mark} and {words(2, 6)}.", "input": "", "output": f"{mark}, {words(3, 15)}."}


def dolly(mark):
    return {"instruction": f"List {mark}", "context": words(4, 12), "response": f"{mark}: {words(3, 9)}", "category": "closed_qa"}


def openai(mark):
    return {"messages": [{"role": "user", "content": f"Why {mark}?"}, {"role": "assistant", "content": f"{mark}, {words(3, 15)}"}]}


def preference(mark):
    return {"prompt": f"Sing of {mark}", "chosen": words(5, 12), "rejected": "No, " + words(2, 6)}


def document(mark):
    return {"text": f"{mark}. {words(20, 60)}."}


posted = 0


def posts(marks):
    """A dump; no two have a number of a post in common."""
    global posted
    lines = []
    for i, mark in enumerate(marks, posted):
        at = "2020-01-01T00:00:00.000"
        q, a, b = 3 * i + 1, 3 * i + 2, 3 * i + 3
        lines.append(f'  <row Id="{q}" PostTypeId="1" AcceptedAnswerId="{a}" CreationDate="{at}" Score="5" Body="&lt;p&gt;How {mark} {words(3, 9)}?&lt;/p&gt;" OwnerUserId="1" '
                     f'Title="{mark}" Tags="&lt;x&gt;" ContentLicense="CC BY-SA 4.0" />')
        for answer, score in ((a, 9), (b, 1)):
            lines.append(f'  <row Id="{answer}" PostTypeId="2" ParentId="{q}" CreationDate="{at}" Score="{score}" Body="&lt;p&gt;{mark} {words(4, 12)}.&lt;/p&gt;" OwnerUserId="2" '
                         'ContentLicense="CC BY-SA 4.0" />')
    posted += len(marks)
    return ('<?xml version="1.0" encoding="utf-8"?>\n<posts>\n' + "\n".join(lines) + "\n</posts>\n").encode()


SOURCES = {"sharegpt": (sharegpt, "conversations", []), "hc3": (hc3, "conversations", []), "hh-rlhf": (hh, "preferences", []), "alpaca": (alpaca, "instructions", []),
           "dolly": (dolly, "instructions", []), "openai-messages": (openai, "conversations", ["--license", "CC0-1.0"]),
           "preferences": (preference, "preferences", ["--license", "CC0-1.0"]), "documents": (document, "documents", ["--license", "CC0-1.0"]),
           "stackexchange": (None, "preferences", ["--site", "example.stackexchange.com"])}


def parquet(rows):
    out = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows), out, row_group_size=7)
    return out.getvalue().to_pybytes()


def frames(plain):
    half = len(plain) // 2
    return b"".join(zstandard.ZstdCompressor().compress(part) for part in (plain[:half], plain[half:]))


LINES = {".jsonl": lambda plain: plain, ".jsonl.gz": gzip.compress, ".jsonl.bz2": bz2.compress, ".jsonl.zst": frames}


def whole(source, marks):
    """The bytes of an undamaged file, and its ending."""
    row = SOURCES[source][0]
    if row is None:
        plain = posts(marks)
        ending = draw.choice(["", ".gz", ".bz2", ".zst"])
        return {"": lambda b: b, ".gz": gzip.compress, ".bz2": bz2.compress, ".zst": frames}[ending](plain), ".xml" + ending
    rows = [row(mark) for mark in marks]
    kind = draw.choice([*LINES, ".json", ".parquet"])
    if kind == ".parquet":
        return parquet(rows), kind
    if kind == ".json":
        return json.dumps(rows, indent=draw.choice([None, 1])).encode(), kind
    return LINES[kind]("".join(json.dumps(each) + "\n" for each in rows).encode()), kind


def damaged(data):
    """One of seven damages."""
    way, at = draw.randrange(7), draw.randrange(len(data))
    changed = bytearray(data)
    if way == 0:
        return data[:at]
    if way == 1:
        for _ in range(draw.randint(1, 8)):
            changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
        return bytes(changed)
    if way == 2:
        changed[at:at + draw.randint(1, 200)] = b""
        return bytes(changed)
    if way == 3:
        changed[at:at] = draw.randbytes(draw.randint(1, 64))
        return bytes(changed)
    if way == 4:
        end = min(len(data), at + draw.randint(1, 200))
        changed[at:end] = bytes(end - at)
        return bytes(changed)
    if way == 5:
        return data[at:] + data[:at]
    return data + data[at:]


def run(source, folder, warehouse, more):
    done = subprocess.run([f"{home}/submit/distillery", "ingest", "--source", source, "--input", folder, "--warehouse", warehouse, "--run-id", "damaged", *more],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")
    return done.returncode, done.stdout, done.stderr


def rows_of(warehouse, table):
    found = [f for f in glob.glob(f"{warehouse}/{table}/**/*.parquet", recursive=True) if "/." not in f]
    return ds.dataset(found).to_table().to_pylist() if found else []


shutil.rmtree(work, ignore_errors=True)
wrong = 0
print(f"{'source':16} {'files':>6} {'refused':>7} {'units':>6} {'kept':>6} {'duplicate':>9} {'rejected':>8}  rules", flush=True)
for number, (source, (_, table, more)) in enumerate(SOURCES.items()):
    folder, warehouse = f"{work}/{source}", f"{work}/wh-{source}"
    os.makedirs(folder)
    count = files // len(SOURCES) + (number < files % len(SOURCES))
    intact = [f"intact{n}" for n in range(ROWS)]
    data, ending = whole(source, intact)
    with open(f"{folder}/intact{ending}", "wb") as out:
        out.write(data)
    for i in range(count):
        data, ending = whole(source, [f"mark{i}x{n}" for n in range(ROWS)])
        with open(f"{folder}/f{i}{ending}", "wb") as out:
            out.write(damaged(data))
    refused, problems = 0, []
    while True:
        code, summary, said = run(source, folder, warehouse, more)
        if re.search(r"^\s+at [\w.$]+\(", said, re.M):
            problems.append("a stack trace")
        named = {name for name in re.findall(rf"{re.escape(folder)}/([\w.]+)", said) if os.path.exists(f"{folder}/{name}")} if code == 3 else set()
        if not named or problems:
            break
        if any(name.startswith("intact") for name in named):
            problems.append("the undamaged file was refused")
            break
        for name in named:
            os.remove(f"{folder}/{name}")
        refused += len(named)
    figures = json.loads(summary.strip().splitlines()[-1]) if code == 0 else {}
    units = figures.get("figures", {})
    rejects = figures.get("rejects", {})
    if code != 0:
        problems.append(f"exit {code}")
    else:
        kept = rows_of(warehouse, table)
        if units["units_in"] != units["units_kept"] + units["units_duplicate"] + units["units_rejected"]:
            problems.append("the sums do not add up")
        if sum(rejects.values()) != units["units_rejected"] or len(rows_of(warehouse, "rejects")) != units["units_rejected"]:
            problems.append("rejects differ from their count")
        text = json.dumps(kept, default=str)
        lost = [mark for mark in intact if not re.search(rf"{mark}\b", text)]
        if lost:
            problems.append(f"rows of the undamaged file are lost: {lost}")
    print(f"{source:16} {count + 1:6} {refused:7} {units.get('units_in', '?'):>6} {units.get('units_kept', '?'):>6} {units.get('units_duplicate', '?'):>9} "
          f"{units.get('units_rejected', '?'):>8}  {', '.join(f'{rule} {n}' for rule, n in sorted(rejects.items(), key=lambda each: -each[1])[:6])}", flush=True)
    if problems:
        wrong += 1
        print(f"  WRONG: {'; '.join(problems)}\n{said[-2000:]}", flush=True)
sys.exit(1 if wrong else 0)
