"""TRL's SFTTrainer on rows of equal length: prints tokens a second from the end of its second step to its last.
Arguments: lora|full MODEL ROWS STEPS BATCH LENGTH THREADS."""
import json
import sys
import time

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import SFTConfig, SFTTrainer

kind, model, path = sys.argv[1:4]
steps, batch, length, threads = map(int, sys.argv[4:8])
torch.set_num_threads(threads)
tokenizer = AutoTokenizer.from_pretrained(model)
ids = []
with open(path) as rows:
    for line in rows:
        row = json.loads(line)
        ids += tokenizer(row["instruction"] + "\n" + row["output"])["input_ids"]
count = steps * batch
data = Dataset.from_dict({"input_ids": [ids[i * length:(i + 1) * length] for i in range(count)]})
assert all(len(row) == length for row in data["input_ids"]), "more rows are needed"


class Clock(TrainerCallback):
    ends = []

    def on_step_end(self, args, state, control, **kwargs):
        self.ends.append(time.monotonic())


trainer = SFTTrainer(
    AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32),
    args=SFTConfig(
        "trl", per_device_train_batch_size=batch, max_steps=steps, max_length=length, learning_rate=1e-5, lr_scheduler_type="constant",
        use_cpu=True, bf16=False, report_to=[], save_strategy="no", gradient_checkpointing=False, packing=False, logging_steps=1,
        disable_tqdm=True, dataset_kwargs={"skip_prepare_dataset": True}),
    train_dataset=data,
    processing_class=tokenizer,
    peft_config=LoraConfig(r=16, lora_alpha=32, lora_dropout=0.05, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM") if kind == "lora" else None,
    callbacks=[Clock()])
trainer.train()
print((steps - 2) * batch * length / (Clock.ends[-1] - Clock.ends[1]))
