"""Makes src/test/resources/golden/families/*.npz: a tiny model of each family, run by transformers and peft on torch's CPU.

    pip install torch transformers peft numpy        # made with torch 2.15, transformers 5.24, peft 0.21
    python make_family_goldens.py [NAME ...]

Weights are not stored: each is a function of its name (see values), which FamilyParity computes too. A file holds
config.json as transformers writes it, the rows of tokens, their logits, of every gradient its norm and KEPT of its
values, evenly spaced, and the losses of twenty steps of answers-only training, of all weights and of adapters. Windows are shorter than
the longest row. Rows run one by one, without padding.
"""
import json
import os
import sys
import zlib

import numpy as np
import torch
import transformers as t
from peft import LoraConfig, get_peft_model

OUT = os.path.join(os.path.dirname(__file__), "..", "resources", "golden", "families")
VOCAB, KEPT = 61, 24
torch.set_num_threads(1)


def values(name, shape, gain):
    """Uniform in +-0.25, of gains in 1 +- 0.35 (gain 1) or +-0.35 (gain 0, where 1 is added by the model)."""
    x = np.arange(int(np.prod(shape)), dtype=np.uint64) * 0x9E3779B1 + zlib.crc32(name.encode())
    mask = np.uint64(0xFFFFFFFF)
    x &= mask
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        x = ((x ^ (x >> np.uint64(shift))) * np.uint64(factor)) & mask
    u = (x ^ (x >> np.uint64(16))).astype(np.float64) / 2.0**31 - 1
    norm = name.endswith("norm.weight") or (".ln_" in name and name.endswith("weight"))
    return (gain + 0.35 * u if norm else 0.25 * u).astype(np.float32).reshape(shape)


def fill(model, gain):
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            plain = name.replace(".default", "")
            if ("lora_" in plain) == any("lora_" in n for n, _ in model.named_parameters()):
                parameter.copy_(torch.tensor(values(plain, tuple(parameter.shape), gain)))
    return model.eval()


def rows(lengths, seed):
    generator = np.random.default_rng(seed)
    return [generator.integers(3, VOCAB, n) for n in lengths]


def loss_of(model, batch):
    """Mean over all targets of all rows but each row's first two: transformers' shift, one mean a step."""
    total, count = 0, 0
    for row in batch:
        logits = model(input_ids=torch.tensor(row)[None], **PASS).logits[0]
        target = torch.tensor(row[3:])
        total = total + torch.nn.functional.cross_entropy(logits[2:-1], target, reduction="sum")
        count += len(target)
    return total / count


PASS = {}


def twenty_steps(model):
    trained = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    groups = [{"params": [p for _, p in trained if p.dim() >= 2], "weight_decay": 0.1},
              {"params": [p for _, p in trained if p.dim() < 2], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW([g for g in groups if g["params"]], lr=2e-3, betas=(0.9, 0.95), eps=1e-8)
    losses = []
    for step in range(20):
        optimizer.zero_grad()
        loss = loss_of(model, rows([11, 5], 1000 + step))
        loss.backward()
        torch.nn.utils.clip_grad_norm_([p for _, p in trained], 1.0)
        optimizer.step()
        losses.append(loss.item())
    return np.array(losses, dtype=np.float64)


def gradients(model, out, prefix):
    names, norms, some = [], [], []
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            grad = parameter.grad.numpy().reshape(-1)
            names.append(name.replace(".default", ""))
            norms.append(np.linalg.norm(grad.astype(np.float64)))
            some.append(np.resize(grad[:: max(1, len(grad) // KEPT)][:KEPT], KEPT))
    out[prefix + "names"] = np.frombuffer("\n".join(names).encode(), dtype=np.uint8)
    out[prefix + "norms"], out[prefix + "some"] = np.array(norms), np.stack(some)


def golden(name, config, kind, gain=1, targets="all-linear", use_cache=True):
    if sys.argv[1:] and name not in sys.argv[1:]:
        return
    PASS.clear()
    if use_cache:
        PASS["use_cache"] = False
    config._attn_implementation = "eager"
    make = lambda: fill(kind(config), gain)
    model = make()
    out = {"config.json": np.frombuffer(json.dumps(config.to_diff_dict(), default=str).encode(), dtype=np.uint8)}
    batch = rows([19, 9, 4], 7)
    out["ids"], out["lengths"] = np.concatenate(batch), np.array([len(r) for r in batch])
    with torch.no_grad():
        out["logits"] = np.concatenate([model(input_ids=torch.tensor(r)[None], **PASS).logits[0].numpy() for r in batch])
    loss = loss_of(model, batch)
    loss.backward()
    out["loss"] = np.float64(loss.item())
    gradients(model, out, "g/")
    out["step_ids"] = np.stack([np.concatenate(rows([11, 5], 1000 + step)) for step in range(20)])
    out["losses"] = twenty_steps(make())
    lora = fill(get_peft_model(make(), LoraConfig(r=3, lora_alpha=6, lora_dropout=0.0, target_modules=targets)), gain)
    with torch.no_grad():
        out["lora/logits"] = np.concatenate(
            [lora(input_ids=torch.tensor(r)[None], **PASS).logits[0].numpy() for r in batch[:1]])
    loss_of(lora, batch).backward()
    gradients(lora, out, "lora/g/")
    out["lora/losses"] = twenty_steps(lora)
    os.makedirs(OUT, exist_ok=True)
    path = os.path.join(OUT, name + ".npz")
    np.savez_compressed(path, **out)
    print(name, os.path.getsize(path), out["losses"][0], out["losses"][-1], out["lora/losses"][-1])


SIZES = dict(vocab_size=VOCAB, hidden_size=24, intermediate_size=36, num_attention_heads=3, num_key_value_heads=1,
             max_position_embeddings=64, bos_token_id=1, eos_token_id=2, pad_token_id=0)
LLAMA_LINEARS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]

golden("qwen2-windows", t.Qwen2Config(**SIZES, num_hidden_layers=3, use_sliding_window=True, sliding_window=5,
                                      max_window_layers=1, rope_parameters={"rope_type": "default", "rope_theta": 1e6}),
       t.Qwen2ForCausalLM, targets=LLAMA_LINEARS)
# The published files' form: a window beside the switch that voids it.
void = t.Qwen2Config(**SIZES, num_hidden_layers=2, tie_word_embeddings=True)
void.sliding_window, void.max_window_layers = 5, 1
golden("qwen2-tied", void, t.Qwen2ForCausalLM, targets=LLAMA_LINEARS)
golden("qwen3", t.Qwen3Config(**SIZES, num_hidden_layers=2, head_dim=16, tie_word_embeddings=True),
       t.Qwen3ForCausalLM, targets=LLAMA_LINEARS)
golden("qwen3-biases", t.Qwen3Config(**SIZES, num_hidden_layers=3, head_dim=16, attention_bias=True,
                                     use_sliding_window=True, sliding_window=4,
                                     layer_types=["sliding_attention", "full_attention", "sliding_attention"]),
       t.Qwen3ForCausalLM, targets=LLAMA_LINEARS)
golden("mistral", t.MistralConfig(**SIZES, num_hidden_layers=2, sliding_window=6), t.MistralForCausalLM,
       targets=LLAMA_LINEARS)
golden("mistral-no-window", t.MistralConfig(**SIZES, num_hidden_layers=2, head_dim=12, sliding_window=None),
       t.MistralForCausalLM, targets=LLAMA_LINEARS)
golden("gemma3", t.Gemma3TextConfig(
    **SIZES, num_hidden_layers=3, head_dim=16, query_pre_attn_scalar=24, sliding_window=5,
    layer_types=["sliding_attention", "sliding_attention", "full_attention"],
    rope_parameters={"full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1000000.0},
                     "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0}}),
       t.Gemma3ForCausalLM, gain=0, targets=LLAMA_LINEARS)
golden("smollm3", t.SmolLM3Config(**SIZES, num_hidden_layers=4, use_sliding_window=True, sliding_window=5),
       t.SmolLM3ForCausalLM, targets=LLAMA_LINEARS)
golden("granite", t.GraniteConfig(**SIZES, num_hidden_layers=2, embedding_multiplier=3.0, attention_multiplier=0.2,
                                  residual_multiplier=0.4, logits_scaling=2.5, tie_word_embeddings=True),
       t.GraniteForCausalLM, targets=LLAMA_LINEARS)
golden("olmo2", t.Olmo2Config(**SIZES, num_hidden_layers=2), t.Olmo2ForCausalLM, targets=LLAMA_LINEARS)
golden("phi3", t.Phi3Config(**SIZES, num_hidden_layers=2, sliding_window=6), t.Phi3ForCausalLM,
       targets=["qkv_proj", "o_proj", "gate_up_proj", "down_proj"])
golden("qwen2-yarn", t.Qwen2Config(**SIZES, num_hidden_layers=2, rope_parameters={
    "rope_type": "yarn", "rope_theta": 1e4, "factor": 4.0, "original_max_position_embeddings": 16}),
       t.Qwen2ForCausalLM, targets=LLAMA_LINEARS)
golden("mistral-yarn", t.MistralConfig(**SIZES, num_hidden_layers=2, head_dim=16, sliding_window=None, rope_parameters={
    "rope_type": "yarn", "rope_theta": 500.0, "factor": 3.0, "original_max_position_embeddings": 20, "beta_fast": 2.0,
    "beta_slow": 0.25, "mscale": 1.2, "mscale_all_dim": 0.6, "truncate": False}),
       t.MistralForCausalLM, targets=LLAMA_LINEARS)
golden("gpt1", t.OpenAIGPTConfig(vocab_size=VOCAB, n_embd=24, n_head=3, n_layer=2, n_positions=32, resid_pdrop=0,
                                 embd_pdrop=0, attn_pdrop=0), t.OpenAIGPTLMHeadModel,
       targets=["c_attn", "c_proj", "c_fc"], use_cache=False)
