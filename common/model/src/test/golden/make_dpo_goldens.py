"""Makes src/test/resources/golden/training/dpo.npz: what TRL's DPOTrainer logs over 30 steps, and its CPOTrainer with SimPO's loss.

    pip install torch transformers trl peft numpy    # made with torch 2.15, transformers 5.24, trl 1.16, peft 0.21
    python make_dpo_goldens.py

The model is llama-gqa31-tied of make_decoder_goldens.py, whose weights are read from golden/decoder. All runs see the
same pairs in the same order, each as two documents, the chosen answer's first: ids (all joined), lengths, and weights (1
where a token is an answer's). A run's figures stand under its name: sigmoid, ipo, hinge, lora (sigmoid again, with adapters
that begin away from zero, under a/), simpo. The reference is the model as it begins, with lora the model without its adapters.
"""
import os
import tempfile

import numpy as np
import torch
from datasets import Dataset
from peft import LoraConfig
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from trl import DPOConfig, DPOTrainer
from trl.experimental.cpo import CPOConfig, CPOTrainer

HERE = os.path.dirname(os.path.abspath(__file__))
RESOURCES = os.path.join(HERE, "..", "resources", "golden")
VOCAB, STEPS, ACCUMULATION, PAIRS = 67, 30, 2, 2
LINEARS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
LOGGED = ("loss", "grad_norm", "rewards/chosen", "rewards/rejected", "rewards/accuracies", "rewards/margins",
          "logps/chosen", "logps/rejected")
torch.set_num_threads(1)


def model():
    config = LlamaConfig(vocab_size=VOCAB, hidden_size=24, intermediate_size=40, num_hidden_layers=2,
                         num_attention_heads=3, num_key_value_heads=1, max_position_embeddings=128, rms_norm_eps=1e-5,
                         tie_word_embeddings=True, bos_token_id=1, eos_token_id=2, pad_token_id=0,
                         attn_implementation="eager", rope_parameters={"rope_type": "default", "rope_theta": 100000.0})
    made = LlamaForCausalLM(config)
    weights = np.load(os.path.join(RESOURCES, "decoder", "llama-gqa31-tied.npz"))
    with torch.no_grad():
        for key, parameter in made.named_parameters():
            parameter.copy_(torch.tensor(weights["w/" + key]))
    return made


def tokenizer():
    words = {f"w{i}": i for i in range(VOCAB)}
    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer(WordLevel(words, unk_token="w3")), pad_token="w0",
                                   bos_token="w1", eos_token="w2", unk_token="w3")


def pairs(count):
    """The better answer repeats its prompt's tokens, each one up; the other is any, and of any length."""
    generator = np.random.default_rng(17)
    made = []
    for _ in range(count):
        prompt = generator.integers(4, VOCAB - 1, generator.integers(2, 7))
        chosen = np.concatenate([prompt[: generator.integers(1, len(prompt) + 1)] + 1, [2]])
        rejected = np.concatenate([generator.integers(4, VOCAB, generator.integers(1, 8)), [2]])
        made.append({"prompt_ids": prompt.tolist(), "chosen_ids": chosen.tolist(), "rejected_ids": rejected.tolist()})
    return made


class Sequential(DPOTrainer):
    """Takes token ids as they are, in their order."""

    def _prepare_dataset(self, dataset, *args, **kwargs):
        return dataset

    def _get_train_sampler(self, *args, **kwargs):
        return torch.utils.data.SequentialSampler(self.train_dataset)


class SequentialPairs(CPOTrainer):
    """The same of SimPO's trainer."""

    def tokenize_row(self, row, *args, **kwargs):
        made = {"prompt_input_ids": row["prompt_ids"], "prompt_attention_mask": [1] * len(row["prompt_ids"])}
        for side in ("chosen", "rejected"):
            ids = row["prompt_ids"] + row[side + "_ids"]
            made |= {side + "_input_ids": ids, side + "_attention_mask": [1] * len(ids),
                     side + "_labels": [-100] * len(row["prompt_ids"]) + row[side + "_ids"]}
        return made

    def _get_train_sampler(self, *args, **kwargs):
        return torch.utils.data.SequentialSampler(self.train_dataset)


def run(name, data, out, lora=None, simpo=False, **changes):
    with tempfile.TemporaryDirectory() as directory:
        options = dict(output_dir=directory, max_steps=STEPS, per_device_train_batch_size=PAIRS,
                       gradient_accumulation_steps=ACCUMULATION, learning_rate=3e-3, lr_scheduler_type="cosine",
                       warmup_steps=5, weight_decay=0.1, max_grad_norm=1.0, logging_steps=1, report_to=[], use_cpu=True,
                       bf16=False, gradient_checkpointing=False, max_length=64, save_strategy="no", disable_tqdm=True,
                       optim="adamw_torch", beta=0.3)
        if simpo:
            texts = [{**row, "prompt": "p", "chosen": "c", "rejected": "r"} for row in data]
            trainer = SequentialPairs(model=model(), args=CPOConfig(**{**options, **changes}),
                                      train_dataset=Dataset.from_list(texts), processing_class=tokenizer())
        else:
            trainer = Sequential(model=model(), ref_model=None if lora else model(), args=DPOConfig(**{**options, **changes}),
                                 train_dataset=Dataset.from_list(data), processing_class=tokenizer(), peft_config=lora)
        if lora is not None:
            generator = torch.Generator().manual_seed(11)
            with torch.no_grad():
                for key, parameter in trainer.model.named_parameters():
                    if "lora_" in key:
                        parameter.copy_(0.1 * torch.randn(parameter.shape, generator=generator))
                        out["a/" + key.replace(".default", "")] = parameter.numpy().copy()
        trainer.train()
        log = [entry for entry in trainer.state.log_history if "loss" in entry]
    assert len(log) == STEPS, len(log)
    for key in LOGGED:
        out[name + "/" + key] = np.array([float(entry[key]) for entry in log])
    print(name, out[name + "/loss"][[0, 1, -1]], out[name + "/rewards/accuracies"][[0, -1]])


def main():
    data = pairs(STEPS * ACCUMULATION * PAIRS)
    ids, lengths, weights = [], [], []
    for pair in data:
        for side in ("chosen_ids", "rejected_ids"):
            ids += pair["prompt_ids"] + pair[side]
            lengths.append(len(pair["prompt_ids"]) + len(pair[side]))
            weights += [0] * len(pair["prompt_ids"]) + [1] * len(pair[side])
    out = dict(ids=np.array(ids), lengths=np.array(lengths), weights=np.array(weights))
    run("sigmoid", data, out)
    run("ipo", data, out, loss_type="ipo")
    run("hinge", data, out, loss_type="hinge")
    run("simpo", data, out, simpo=True, loss_type="simpo", cpo_alpha=0.0, simpo_gamma=1.0, beta=2.0)
    run("lora", data, out, lora=LoraConfig(r=4, lora_alpha=8, lora_dropout=0.0, target_modules=LINEARS,
                                           task_type="CAUSAL_LM"))
    file = os.path.join(RESOURCES, "training", "dpo.npz")
    np.savez_compressed(file, **out)
    print(os.path.getsize(file), "bytes")


main()
