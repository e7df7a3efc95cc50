"""Makes src/test/resources/golden/decoder/*.npz: tiny random models run by transformers and peft on torch's CPU.

    pip install torch transformers peft numpy        # made with torch 2.15, transformers 5.23, peft 0.21
    python make_decoder_goldens.py

Every file holds config.json (bytes), w/<name> (weights under transformers' names) and, per case, ids, positions,
attended keys, labels and what transformers answered. Everything is float32; the widths are as small as the feature
under test allows.
"""
import json
import os

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, LlamaForSequenceClassification

OUT = os.path.join(os.path.dirname(__file__), "..", "resources", "golden", "decoder")
VOCAB = 67
torch.set_num_threads(1)


def llama(**changes):
    base = dict(vocab_size=VOCAB, hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=3,
                num_key_value_heads=1, max_position_embeddings=128, rms_norm_eps=1e-5, tie_word_embeddings=True,
                rope_parameters={"rope_type": "default", "rope_theta": 100000.0},
                bos_token_id=1, eos_token_id=2, pad_token_id=2, attn_implementation="eager")
    return LlamaConfig(**{**base, **changes})


def randomise(model, seed):
    """Weights far from their initial symmetry, so that a wrong gain or bias cannot hide."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            gain = name.endswith("norm.weight") or ".ln_" in name and name.endswith("weight")
            parameter.copy_(1 + 0.2 * noise if gain else 0.15 * noise)
    return model.eval()


def ragged(lengths, seed):
    generator = np.random.default_rng(seed)
    return [generator.integers(3, VOCAB, n) for n in lengths]


def padded(rows, side):
    width = max(map(len, rows))
    ids, mask = np.full((len(rows), width), 2), np.zeros((len(rows), width), dtype=int)
    for i, row in enumerate(rows):
        at = slice(width - len(row), width) if side == "left" else slice(0, len(row))
        ids[i, at], mask[i, at] = row, 1
    return torch.tensor(ids), torch.tensor(mask)


def cross_entropy(logits, labels):
    """Mean over the targets that are not -100, shifted by one, as transformers' own loss."""
    return torch.nn.functional.cross_entropy(logits[:, :-1].reshape(-1, logits.shape[-1]), labels[:, 1:].reshape(-1),
                                             ignore_index=-100)


def run(model, rows, layout):
    """Logits and labels of the rows, laid out one way; the first two targets of every row are not trained."""
    if layout == "packed":
        ids = torch.tensor(np.concatenate(rows))[None]
        owner = torch.tensor(np.repeat(np.arange(len(rows)), [len(r) for r in rows]))
        positions = torch.tensor(np.concatenate([np.arange(len(r)) for r in rows]))[None]
        allowed = (owner[:, None] == owner[None, :]) & torch.ones(len(owner), len(owner)).tril().bool()
        mask = torch.zeros(allowed.shape).masked_fill(~allowed, torch.finfo(torch.float32).min)[None, None]
        labels = ids.clone()
        labels[0, positions[0] < 2] = -100
        logits = model(input_ids=ids, attention_mask=mask, position_ids=positions, use_cache=False).logits
        return logits, labels, torch.ones_like(ids)
    ids, mask = padded(rows, layout)
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    logits = model(input_ids=ids, attention_mask=mask, position_ids=positions, use_cache=False).logits
    labels = ids.masked_fill((mask == 0) | (positions < 2), -100)
    return logits, labels, mask


def golden(name, model, seed):
    out = {"config.json": np.frombuffer(json.dumps(model.config.to_dict(), default=str).encode(), dtype=np.uint8)}
    for key, parameter in model.named_parameters():
        out["w/" + key] = parameter.detach().numpy().copy()
    rows = ragged([9, 5, 12], seed)
    out["ids"], out["lengths"] = np.concatenate(rows), np.array([len(r) for r in rows])
    for layout in ("right", "left", "packed"):
        logits, labels, mask = run(model, rows, layout)
        out[f"{layout}/logits"] = logits[mask.bool()].detach().numpy()
        out[f"{layout}/loss"] = cross_entropy(logits, labels).detach().numpy()
    model.zero_grad()
    logits, labels, _ = run(model, rows, "packed")
    cross_entropy(logits, labels).backward()
    for key, parameter in model.named_parameters():
        out["g/" + key] = parameter.grad.numpy().copy()

    decayed = [p for p in model.parameters() if p.dim() >= 2]
    rest = [p for p in model.parameters() if p.dim() < 2]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}],
                                  lr=1.0, betas=(0.9, 0.95), eps=1e-8)
    losses, norms = [], []
    for step in range(20):
        for group in optimizer.param_groups:
            group["lr"] = 3e-3 * min(1.0, step / 4) * (1 - step / 40)
        batch = ragged([7, 11], 1000 + step)
        optimizer.zero_grad()
        logits, labels, _ = run(model, batch, "packed")
        loss = cross_entropy(logits, labels)
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0).item())
        losses.append(loss.item())
        optimizer.step()
        out[f"step{step}/ids"] = np.concatenate(batch)
    out["losses"], out["norms"] = np.array(losses, dtype=np.float64), np.array(norms, dtype=np.float64)
    out["step_lengths"] = np.array([7, 11])
    save(name, out)


def lora(name, seed):
    base = randomise(LlamaForCausalLM(llama()), seed)
    out = {"config.json": np.frombuffer(json.dumps(base.config.to_dict(), default=str).encode(), dtype=np.uint8)}
    for key, parameter in base.named_parameters():
        out["w/" + key] = parameter.detach().numpy().copy()
    rows = ragged([9, 6], seed)
    out["ids"], out["lengths"] = np.concatenate(rows), np.array([9, 6])
    model = get_peft_model(base, LoraConfig(r=4, lora_alpha=10, lora_dropout=0.0,
                                            target_modules=["q_proj", "v_proj", "o_proj", "gate_proj", "down_proj"]))
    generator = torch.Generator().manual_seed(seed + 1)
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if "lora_" in key:
                parameter.copy_(0.2 * torch.randn(parameter.shape, generator=generator))
    logits, labels, _ = run(model, rows, "packed")
    loss = cross_entropy(logits, labels)
    loss.backward()
    out["logits"], out["loss"] = logits[0].detach().numpy(), loss.detach().numpy()
    for key, parameter in model.named_parameters():
        if "lora_" in key:
            short = key.replace(".default", "")
            out["a/" + short], out["ga/" + short] = parameter.detach().numpy().copy(), parameter.grad.numpy().copy()
    merged = model.merge_and_unload()
    out["merged/logits"] = run(merged, rows, "packed")[0][0].detach().numpy()
    for key, parameter in merged.named_parameters():
        if "q_proj" in key:
            out["merged/w/" + key] = parameter.detach().numpy().copy()
    save(name, out)


def score(name, seed):
    model = randomise(LlamaForSequenceClassification(llama(num_labels=1)), seed)
    out = {"config.json": np.frombuffer(json.dumps(model.config.to_dict(), default=str).encode(), dtype=np.uint8)}
    for key, parameter in model.named_parameters():
        out["w/" + key] = parameter.detach().numpy().copy()
    rows = ragged([9, 6], seed)
    out["ids"], out["lengths"] = np.concatenate(rows), np.array([9, 6])
    scores = torch.cat([model(input_ids=torch.tensor(r)[None], use_cache=False).logits[0] for r in rows])
    loss = -torch.nn.functional.logsigmoid(scores[0] - scores[1])
    loss.backward()
    out["scores"], out["loss"] = scores.detach().numpy(), loss.detach().numpy()
    for key, parameter in model.named_parameters():
        out["g/" + key] = parameter.grad.numpy().copy()
    save(name, out)


def save(name, out):
    os.makedirs(OUT, exist_ok=True)
    np.savez_compressed(os.path.join(OUT, name + ".npz"), **out)


golden("llama-gqa31-tied", randomise(LlamaForCausalLM(llama()), 1), 11)
golden("llama-gqa42-untied-bias", randomise(LlamaForCausalLM(llama(
    hidden_size=32, num_attention_heads=4, num_key_value_heads=2, tie_word_embeddings=False, attention_bias=True,
    mlp_bias=True)), 2), 12)
golden("llama3-rope", randomise(LlamaForCausalLM(llama(rope_parameters={
    "rope_type": "llama3", "rope_theta": 10000.0, "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64})), 3), 13)
golden("gpt2", randomise(GPT2LMHeadModel(GPT2Config(
    vocab_size=VOCAB, n_embd=24, n_head=3, n_layer=2, n_positions=32, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0,
    bos_token_id=1, eos_token_id=2, attn_implementation="eager")), 4), 14)
lora("lora", 5)
score("score", 6)
