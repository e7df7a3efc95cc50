#!/usr/bin/env bash
# benchmarks/dedup/run.sh [FOLDER]
#
# Measures the dedup job against its targets and prints ratios. Needs a built repository (mvn package -DskipTests), Python 3 with
# pip, and some 2 GB in FOLDER (default: a temporary one). With ../shared/data/alpaca-52k-en-shards beside the repository it measures
# that too, with its two peers in the same run: rouge_score (a sample, extrapolated) and rapidfuzz (all pairs).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
folder=${1:-$(mktemp -d)}
mkdir -p "$folder"
heap=${HEAP:-4g}
sizes=${SIZES:-250000 1000000}

dedup() { # label, arguments: wall time and CPU time of the whole process, and the job's own seconds
  local label=$1
  shift
  TIMEFORMAT='%R %U %S'
  { time "$root/submit/distillery" dedup --warehouse "$folder/warehouse" --run-id "$label-$$" "$@" \
    -- --driver-memory "$heap" --master 'local[2]' >"$folder/$label.json" 2>"$folder/$label.log"; } 2>"$folder/$label.time" ||
    { tail -20 "$folder/$label.log" >&2; exit 1; }
}

[[ -x $folder/venv/bin/python ]] || python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" -q install rouge_score==0.1.2 rapidfuzz==3.14.6 numpy

alpaca=$root/../shared/data/alpaca-52k-en-shards
if [[ -d $alpaca ]]; then
  "$folder/venv/bin/python" "$here/alpaca.py" rows "$alpaca" "$folder/alpaca.jsonl"
  # What Spark and the JVM cost before there is anything to compare.
  head -1 "$folder/alpaca.jsonl" >"$folder/one.jsonl"
  dedup one --input "$folder/one.jsonl"
  dedup alpaca --input "$folder/alpaca.jsonl"
  "$folder/venv/bin/python" "$here/alpaca.py" compare "$folder" alpaca
fi
for rows in $sizes; do
  [[ -f $folder/$rows/rows.jsonl ]] || java "$here/Generate.java" "$rows" 7 "$folder/$rows"
  dedup "planted-$rows" --input "$folder/$rows/rows.jsonl"
  "$folder/venv/bin/python" "$here/check.py" "$folder" "$rows" "$folder/warehouse/duplicates/run_id=planted-$rows-$$"
done
