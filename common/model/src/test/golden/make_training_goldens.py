"""Makes src/test/resources/golden/training/*.npz: what TRL's SFTTrainer, peft and torch log over 50 steps.

    pip install torch transformers trl peft numpy    # made with torch 2.15, transformers 5.24, trl 1.16, peft 0.21
    python make_training_goldens.py

The models are those of make_decoder_goldens.py, whose weights are read from golden/decoder. A file holds, step by step,
the rows that the trainer was given, as documents: ids (all joined), lengths, weights (1 where a token's prediction is
trained), counts (documents in each micro-batch), and loss, grad_norm, entropy and mean_token_accuracy as logged.
"""
import os
import tempfile

import numpy as np
import torch
import torch.nn.functional as F
from datasets import Dataset
from peft import LoraConfig, get_peft_model
from peft.utils.other import TrainableTokensWrapper
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import (GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast,
                          get_cosine_schedule_with_warmup)
from trl import SFTConfig, SFTTrainer
from trl.experimental.gkd import GKDTrainer
from trl.experimental.server_distillation.server_distillation_trainer import _add_tail_bucket, _jsd_divergence

HERE = os.path.dirname(os.path.abspath(__file__))
DECODERS = os.path.join(HERE, "..", "resources", "golden", "decoder")
OUT = os.path.join(HERE, "..", "resources", "golden", "training")
VOCAB, STEPS, ACCUMULATION, ROWS = 67, 50, 2, 2
torch.set_num_threads(1)


def model(name):
    if name == "llama-gqa42-untied-bias":
        config = LlamaConfig(vocab_size=VOCAB, hidden_size=32, intermediate_size=40, num_hidden_layers=2,
                             num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=128,
                             rms_norm_eps=1e-5, tie_word_embeddings=False, attention_bias=True, mlp_bias=True,
                             bos_token_id=1, eos_token_id=2, pad_token_id=0, attn_implementation="eager",
                             rope_parameters={"rope_type": "default", "rope_theta": 100000.0})
        made = LlamaForCausalLM(config)
    elif name == "gpt2":
        config = GPT2Config(vocab_size=VOCAB, n_embd=24, n_head=3, n_layer=2, n_positions=32, resid_pdrop=0,
                            embd_pdrop=0, attn_pdrop=0, bos_token_id=1, eos_token_id=2, attn_implementation="eager")
        made = GPT2LMHeadModel(config)
    else:
        config = LlamaConfig(vocab_size=VOCAB, hidden_size=24, intermediate_size=40, num_hidden_layers=2,
                             num_attention_heads=3, num_key_value_heads=1, max_position_embeddings=128,
                             rms_norm_eps=1e-5, tie_word_embeddings=True, bos_token_id=1, eos_token_id=2,
                             pad_token_id=0, attn_implementation="eager",
                             rope_parameters={"rope_type": "default", "rope_theta": 100000.0})
        made = LlamaForCausalLM(config)
    weights = np.load(os.path.join(DECODERS, name + ".npz"))
    with torch.no_grad():
        for key, parameter in made.named_parameters():
            parameter.copy_(torch.tensor(weights["w/" + key]))
    return made


def tokenizer():
    words = {f"w{i}": i for i in range(VOCAB)}
    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer(WordLevel(words, unk_token="w3")), pad_token="w0",
                                   bos_token="w1", eos_token="w2", unk_token="w3")


def rows(count, seed, low, high):
    """Prompts and answers that say something: an answer repeats its prompt's tokens, each one up."""
    generator = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        prompt = generator.integers(4, VOCAB - 1, generator.integers(low, high))
        answer = np.concatenate([prompt[: generator.integers(1, len(prompt) + 1)] + 1, [2]])
        made.append((prompt, answer))
    return made


class Recorder:
    """What went into each micro-batch, as documents."""

    def __init__(self):
        self.ids, self.lengths, self.weights, self.counts = [], [], [], []

    def document(self, ids, labels):
        self.ids.append(np.asarray(ids))
        self.lengths.append(len(ids))
        self.weights.append((np.asarray(labels) != -100).astype(np.int64))

    def batch(self, inputs):
        ids, labels = inputs["input_ids"], inputs["labels"]
        before = len(self.lengths)
        if "attention_mask" in inputs:
            for row, mask, label in zip(ids, inputs["attention_mask"], labels):
                self.document(row[mask.bool()], label[mask.bool()])
        else:
            starts = (inputs["position_ids"][0] == 0).nonzero().flatten().tolist() + [ids.shape[1]]
            for begin, end in zip(starts, starts[1:]):
                self.document(ids[0, begin:end], labels[0, begin:end])
        self.counts.append(len(self.lengths) - before)

    def arrays(self):
        return dict(ids=np.concatenate(self.ids), lengths=np.array(self.lengths),
                    weights=np.concatenate(self.weights), counts=np.array(self.counts))


class Sequential(SFTTrainer):
    recorder = None

    def _get_train_sampler(self, *args, **kwargs):
        return torch.utils.data.SequentialSampler(self.train_dataset)

    def training_step(self, model, inputs, *args, **kwargs):
        self.recorder.batch(inputs)
        return super().training_step(model, inputs, *args, **kwargs)


def sft(file, name, packing=False, lora=None, **changes):
    data = rows(3000 if packing else STEPS * ACCUMULATION * ROWS, 7, 3, 8)
    dataset = Dataset.from_dict({
        "input_ids": [np.concatenate(r).tolist() for r in data],
        "completion_mask": [[0] * len(p) + [1] * len(a) for p, a in data],
    })
    with tempfile.TemporaryDirectory() as directory:
        options = dict(output_dir=directory, max_steps=STEPS, per_device_train_batch_size=ROWS,
                       gradient_accumulation_steps=ACCUMULATION, learning_rate=5e-3, lr_scheduler_type="cosine",
                       warmup_steps=5, weight_decay=0.1, max_grad_norm=1.0, logging_steps=1, report_to=[],
                       use_cpu=True, bf16=False, gradient_checkpointing=False, completion_only_loss=True,
                       max_length=24, packing=packing, save_strategy="no", disable_tqdm=True, optim="adamw_torch",
                       dataset_num_proc=None)
        trainer = Sequential(model=model(name), args=SFTConfig(**{**options, **changes}), train_dataset=dataset,
                             processing_class=tokenizer(), peft_config=lora)
        trainer.recorder = Recorder()
        for module in trainer.model.modules():
            if isinstance(module, TrainableTokensWrapper):
                module.bias = None  # TRL 1.16 asks the head for it, and the wrapper does not pass that on
        out = {}
        if lora is not None:
            generator = torch.Generator().manual_seed(11)
            with torch.no_grad():
                for key, parameter in trainer.model.named_parameters():
                    if "lora_" in key:
                        parameter.copy_(0.1 * torch.randn(parameter.shape, generator=generator))
                        out["a/" + key.replace(".default", "")] = parameter.numpy().copy()
        trainer.train()
        for key, parameter in trainer.model.named_parameters():
            if "trainable_tokens_delta" in key and parameter.requires_grad:
                out["after/" + key.replace(".default", "")] = parameter.detach().numpy().copy()
        log = [entry for entry in trainer.state.log_history if "loss" in entry]
    assert len(log) == STEPS, len(log)
    for key in ("loss", "grad_norm", "entropy", "mean_token_accuracy", "learning_rate"):
        out[key] = np.array([float(entry[key]) for entry in log])
    save(file, {**out, **trainer.recorder.arrays()})


def classifier(file):
    """GPT-1's fine-tuning (Radford et al. 2018, 3.2): L2 + 0.5 L1, a linear layer on the last token's state."""
    base, classes = model("gpt2"), 3
    head = torch.nn.Linear(24, classes, bias=False)
    torch.manual_seed(3)
    torch.nn.init.normal_(head.weight, std=0.2)
    parameters = list(base.parameters()) + [head.weight]
    optimizer = torch.optim.AdamW([{"params": [p for p in parameters if p.dim() >= 2], "weight_decay": 0.01},
                                   {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0}], lr=5e-3)
    schedule = get_cosine_schedule_with_warmup(optimizer, 5, STEPS)
    out, recorder, labels, log = {"score": head.weight.detach().numpy().copy()}, Recorder(), [], []
    data = rows(STEPS * ROWS, 9, 4, 10)
    for step in range(STEPS):
        batch = [torch.tensor(p) for p, _ in data[step * ROWS:(step + 1) * ROWS]]
        for ids in batch:
            recorder.document(ids, np.where(np.arange(len(ids)) == 0, -100, ids))
        recorder.counts.append(ROWS)
        targets = torch.tensor([int(ids[0]) % classes for ids in batch])
        labels.extend(targets.tolist())
        optimizer.zero_grad()
        logits, text, tokens = [], 0.0, 0
        for ids in batch:
            hidden = base.transformer(input_ids=ids[None], use_cache=False).last_hidden_state[0]
            logits.append(head(hidden[-1]))
            text = text + F.cross_entropy(base.lm_head(hidden[:-1]), ids[1:], reduction="sum")
            tokens += len(ids) - 1
        loss = F.cross_entropy(torch.stack(logits), targets) + 0.5 * text / tokens
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        log.append((loss.item(), norm.item()))
    out["loss"], out["grad_norm"] = (np.array(v) for v in zip(*log))
    out["labels"] = np.array(labels)
    save(file, {**out, **recorder.arrays()})


def distillation(file):
    """Divergences from a teacher by TRL's own functions, and the norm of their gradient over all weights."""
    student, teacher = model("llama-gqa31-tied"), model("llama3-rope")
    data = [np.concatenate(r) for r in rows(4, 13, 4, 9)]
    masks = [np.arange(len(r)) >= len(r) // 2 for r in data]
    recorder, out, k = Recorder(), {}, 5
    for ids, mask in zip(data, masks):
        recorder.document(ids, np.where(mask, ids, -100))
    recorder.counts.append(len(data))

    def logits(of, ids):
        return of(input_ids=torch.tensor(ids)[None], use_cache=False).logits[0, :-1]

    with torch.no_grad():
        top = [torch.log_softmax(logits(teacher, ids), -1).topk(k) for ids in data]
    out["top/ids"] = np.concatenate([t.indices.numpy() for t in top])
    out["top/logprobs"] = np.concatenate([t.values.numpy() for t in top])
    total = sum(int(m[1:].sum()) for m in masks)
    for beta in (0.0, 0.3, 0.5, 1.0):
        for form in ("teacher", "tempered", "top"):
            student.zero_grad()
            loss = 0.0
            for ids, mask, best in zip(data, masks, top):
                keep = torch.tensor(mask[1:])
                own = logits(student, ids)
                if form == "top":
                    own, _ = _add_tail_bucket(torch.log_softmax(own, -1).gather(-1, best.indices),
                                              torch.ones_like(best.values, dtype=torch.bool))
                    other, support = _add_tail_bucket(best.values, torch.ones_like(best.values, dtype=torch.bool))
                    loss = loss + _jsd_divergence(own, other, beta, support)[keep].sum() / total
                else:
                    with torch.no_grad():
                        other = logits(teacher, ids)
                    labels = torch.where(keep, 0, -100)
                    loss = loss + GKDTrainer.generalized_jsd_loss(
                        own[None], other[None], labels[None], beta=beta, temperature=2.0 if form == "tempered" else 1.0,
                        num_items_in_batch=total)
            loss.backward()
            out[f"{form}/{beta}"] = np.array([loss.item(), torch.nn.utils.clip_grad_norm_(
                student.parameters(), 1e9).item()])
    save(file, {**out, **recorder.arrays()})


def save(name, arrays):
    os.makedirs(OUT, exist_ok=True)
    narrow = {k: v.astype(np.float32) if v.dtype == np.float32 else v for k, v in arrays.items()}
    np.savez_compressed(os.path.join(OUT, name + ".npz"), **narrow)
    print(name, os.path.getsize(os.path.join(OUT, name + ".npz")), "bytes")


LINEARS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
sft("llama-answers", "llama-gqa31-tied")
sft("gpt2-answers", "gpt2")
sft("llama-lora", "llama-gqa31-tied", lora=LoraConfig(r=4, lora_alpha=8, lora_dropout=0.0, target_modules=LINEARS,
                                                      task_type="CAUSAL_LM"))
sft("llama-isolated", "llama-gqa31-tied", packing=True)
# Two tokens that the rows are full of, and the end, which only answers have. Of a tied model PEFT ties the rows too.
TOKENS = [2, 7, 30]
sft("llama-tokens-tied", "llama-gqa31-tied", lora=LoraConfig(
    r=4, lora_alpha=8, lora_dropout=0.0, target_modules=LINEARS, task_type="CAUSAL_LM", trainable_token_indices=TOKENS))
sft("llama-tokens-untied", "llama-gqa42-untied-bias", lora=LoraConfig(
    r=4, lora_alpha=8, lora_dropout=0.0, target_modules=LINEARS, task_type="CAUSAL_LM",
    trainable_token_indices={"embed_tokens": TOKENS, "lm_head": TOKENS}))
classifier("gpt2-head")
distillation("distillation")
