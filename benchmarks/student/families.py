#!/usr/bin/env python3
"""Compares what FamilyModels wrote into a directory with transformers and peft; benchmarks/student/families calls it."""
import json
import os
import sys
import warnings

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

# peft only warns where an adapter's file lacks factors.
warnings.filterwarnings("error", message=".*missing adapter keys.*")
torch.set_num_threads(1)
failed = False
for name in sorted(os.listdir(sys.argv[1])):
    path = os.path.join(sys.argv[1], name)
    expected = json.load(open(os.path.join(path, "expected.json")))
    ids = torch.tensor([expected["ids"]])
    base = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32, attn_implementation="eager").eval()
    with torch.no_grad():
        alone = base(input_ids=ids, use_cache=False).logits[0]
        model = PeftModel.from_pretrained(base, os.path.join(path, "adapter")).eval()
        both = model(input_ids=ids, use_cache=False).logits[0]
    theirs = torch.tensor(expected["logits"])
    difference = (both - theirs).abs().max().item()
    changed = (alone - both).abs().max().item()
    failed |= difference > 2e-4 or changed < 0.1
    print(f"{name:15} logits up to {theirs.abs().max().item():.1f}, largest difference {difference:.1e}; the adapter moves them by up to {changed:.1f}")
sys.exit(1 if failed else 0)
