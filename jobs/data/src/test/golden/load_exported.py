"""Loads exported folders as Hugging Face's datasets does and prints what it found, a JSON object a folder.

    python -m venv v && v/bin/pip install datasets==5.2.0
    v/bin/python jobs/data/src/test/golden/load_exported.py FOLDER...
"""

import json
import sys
import tempfile

import datasets

datasets.disable_progress_bars()
for folder in sys.argv[1:]:
    with tempfile.TemporaryDirectory() as cache:
        loaded = datasets.load_dataset(folder, cache_dir=cache)
        splits = {}
        for name, rows in loaded.items():
            splits[name] = {
                "rows": len(rows),
                "columns": rows.column_names,
                "types": [repr(rows.features[c]) for c in rows.column_names],
                "first": sorted(rows, key=lambda row: row["id"])[0],
            }
    print(json.dumps(splits, default=str))
