"""Takes turns between jinja2 in transformers' settings and the student's renderer; see benchmarks/templates/run.

    python compare.py templates.json ROUNDS COMMAND...
"""
import datetime
import json
import statistics
import subprocess
import sys
import time

import transformers.utils.chat_template_utils as chat

golden = json.load(open(sys.argv[1]))
rounds = int(sys.argv[2])
compiled = {name: chat._compile_jinja_template(text) for name, text in golden["templates"].items()}
works = []
for row in golden["cases"]:
    if "error" not in row:
        names = dict(messages=row["messages"], tools=row.get("tools"), documents=None, bos_token="<s>", eos_token="</s>",
                     add_generation_prompt=row.get("prompt", False)) | row.get("names", {})
        works.append((compiled[row["template"]], names))
for template in compiled.values():  # The golden dialogues' day.
    template.environment.globals["strftime_now"] = lambda form: datetime.datetime(2026, 3, 7, 15, 4, 5).strftime(form)


def one_pass():
    return sum(len(template.render(**names)) for template, names in works)


def peer():
    begin, rendered = time.perf_counter(), 0
    while time.perf_counter() - begin < 1:
        characters = one_pass()
        rendered += len(works)
    return rendered / (time.perf_counter() - begin), characters


process = subprocess.Popen(sys.argv[3:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def ours():
    process.stdin.write("go\n")
    process.stdin.flush()
    rate, characters = process.stdout.readline().split()
    return float(rate), int(characters)


for _ in range(3):  # Until the JVM has compiled.
    warm, theirs = ours(), peer()
assert warm[1] == theirs[1], ("characters of a pass", warm[1], theirs[1])
rates = [(ours()[0], peer()[0]) for _ in range(rounds)]
student, jinja2 = (statistics.median(column) for column in zip(*rates))
print(f"{len(works)} dialogues in {len(compiled)} templates, {warm[1]} characters a pass, {rounds} rounds of a second")
for name, column in (("student", 0), ("jinja2", 1)):
    values = [pair[column] for pair in rates]
    print(f"{name:8} {statistics.median(values):10.0f} dialogues/s (from {min(values):.0f} to {max(values):.0f})")
print(f"ratio    {student / jinja2:10.2f}")
process.stdin.close()
