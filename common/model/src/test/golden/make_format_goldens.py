"""Writes src/test/resources/golden/format: small files as the reference libraries write them.

Run with torch, transformers, peft, safetensors and gguf installed, after make_tokenizer_goldens.py:
    python make_format_goldens.py
Weights follow a formula that the Java tests know (`weight` below), so that the files need no
expected values beside them. Every value is exact in bfloat16 and float16.
"""

import json
import pathlib
import shutil
import struct

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Q
from gguf import quants
from peft import LoraConfig, TaskType, get_peft_model
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaForSequenceClassification,
)

OUT = pathlib.Path(__file__).parent.parent / "resources" / "golden" / "format"


def weight(name, shape):
    """Value i of a tensor: a whole number of 128ths that depends on i and on the name's bytes."""
    start = sum((k + 1) * b for k, b in enumerate(name.encode()))
    i = np.arange(int(np.prod(shape)), dtype=np.int64)
    return (((start + i * 37) % 257 - 128) / 128).astype(np.float32).reshape(shape)


def fill(model, rename=lambda n: n):
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.from_numpy(weight(rename(name), tuple(parameter.shape))))
    return model


def save(model, folder, **kwargs):
    shutil.rmtree(OUT / folder, ignore_errors=True)
    model.save_pretrained(OUT / folder, **kwargs)
    for readme in (OUT / folder).glob("README.md"):
        readme.unlink()


def llama(**kwargs):
    shape = dict(
        vocab_size=32,
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=128,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=2,
    )
    return LlamaConfig(**{**shape, **kwargs})


def models():
    save(
        fill(
            LlamaForCausalLM(
                llama(
                    tie_word_embeddings=True,
                    rms_norm_eps=1e-5,
                    rope_parameters={"rope_type": "default", "rope_theta": 100000.0},
                    initializer_range=0.25,
                )
            )
        ).to(torch.bfloat16),
        "llama-tied-bf16",
    )
    save(
        fill(
            LlamaForCausalLM(
                llama(
                    tie_word_embeddings=False,
                    attention_bias=True,
                    mlp_bias=True,
                    head_dim=16,
                    eos_token_id=[2, 5],
                    rope_parameters={
                        "rope_type": "llama3",
                        "rope_theta": 500000.0,
                        "factor": 8.0,
                        "low_freq_factor": 1.0,
                        "high_freq_factor": 4.0,
                        "original_max_position_embeddings": 64,
                    },
                )
            )
        ),
        "llama-sharded-f32",
        max_shard_size="24KB",
    )
    save(
        fill(LlamaForSequenceClassification(llama(num_labels=1, num_hidden_layers=1))).to(
            torch.float16
        ),
        "llama-score-f16",
    )
    save(
        fill(
            GPT2LMHeadModel(
                GPT2Config(
                    vocab_size=32,
                    n_embd=16,
                    n_layer=1,
                    n_head=2,
                    n_positions=24,
                    bos_token_id=31,
                    eos_token_id=31,
                )
            )
        ).to(torch.bfloat16),
        "gpt2-bf16",
    )


def adapter():
    base = LlamaForCausalLM(llama(num_hidden_layers=1))
    config = LoraConfig(
        r=4,
        lora_alpha=8,
        lora_dropout=0.05,
        target_modules=["q_proj", "v_proj"],
        task_type=TaskType.CAUSAL_LM,
        base_model_name_or_path="tiny",
    )
    model = get_peft_model(base, config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                plain = name.replace("base_model.model.", "").replace(".default", "")
                parameter.copy_(torch.from_numpy(weight(plain, tuple(parameter.shape))))
    save(model, "peft-lora")


def permute(rows, heads):
    """Hugging Face's rotary halves to llama.cpp's pairs, as convert_hf_to_gguf.py does it."""
    return rows.reshape(heads, 2, rows.shape[0] // heads // 2, *rows.shape[1:]).swapaxes(
        1, 2
    ).reshape(rows.shape)


def gguf_models():
    names = {
        "token_embd": "model.embed_tokens",
        "output_norm": "model.norm",
        "output": "lm_head",
        "attn_norm": "input_layernorm",
        "attn_q": "self_attn.q_proj",
        "attn_k": "self_attn.k_proj",
        "attn_v": "self_attn.v_proj",
        "attn_output": "self_attn.o_proj",
        "ffn_norm": "post_attention_layernorm",
        "ffn_gate": "mlp.gate_proj",
        "ffn_up": "mlp.up_proj",
        "ffn_down": "mlp.down_proj",
    }
    model = fill(
        LlamaForCausalLM(
            llama(
                attention_bias=True,
                rope_parameters={"rope_type": "default", "rope_theta": 50000.0},
            )
        )
    )
    config = model.config
    for qtype in (Q.F32, Q.F16, Q.BF16, Q.Q8_0, Q.Q4_0, Q.Q5_1):
        path = OUT / f"llama-{qtype.name.lower()}.gguf"
        writer = gguf.GGUFWriter(path, "llama")
        writer.add_vocab_size(config.vocab_size)
        writer.add_context_length(config.max_position_embeddings)
        writer.add_embedding_length(config.hidden_size)
        writer.add_feed_forward_length(config.intermediate_size)
        writer.add_block_count(config.num_hidden_layers)
        writer.add_head_count(config.num_attention_heads)
        writer.add_head_count_kv(config.num_key_value_heads)
        writer.add_layer_norm_rms_eps(config.rms_norm_eps)
        writer.add_rope_freq_base(50000.0)
        writer.add_bos_token_id(1)
        writer.add_eos_token_id(2)
        for name, tensor in model.state_dict().items():
            parts = name.rsplit(".", 1)
            if name.startswith("model.layers."):
                _, _, layer, rest = parts[0].split(".", 3)
                stem = f"blk.{layer}." + next(g for g, h in names.items() if h == rest)
            else:
                stem = next(g for g, h in names.items() if h == parts[0])
            data = tensor.numpy()
            if stem.endswith("attn_q"):
                data = permute(data, config.num_attention_heads)
            if stem.endswith("attn_k"):
                data = permute(data, config.num_key_value_heads)
            matrix = data.ndim == 2
            stored = quants.quantize(data, qtype) if matrix else data
            writer.add_tensor(f"{stem}.{parts[1]}", stored, raw_dtype=qtype if matrix else Q.F32)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()


def blocks():
    """For each type: random blocks, and what gguf-py decodes them to."""
    random = np.random.default_rng(7)
    folder = OUT / "blocks"
    folder.mkdir(parents=True, exist_ok=True)
    halves = {  # where in a block the binary16 scales stand
        Q.Q4_0: [0], Q.Q4_1: [0, 2], Q.Q5_0: [0], Q.Q5_1: [0, 2], Q.Q8_0: [0],
        Q.Q4_K: [0, 2], Q.Q5_K: [0, 2], Q.Q6_K: [208],
    }  # fmt: skip
    for qtype, places in halves.items():
        values, size = gguf.GGML_QUANT_SIZES[qtype]
        count = 2 if values == 256 else 4
        raw = random.integers(0, 256, (count, size), dtype=np.uint8)
        for place in places:
            scale = random.normal(0, 0.05, count).astype("<f2")
            raw[:, place : place + 2] = scale.view(np.uint8).reshape(count, 2)
        raw.tofile(folder / f"{qtype.name}.blocks")
        quants.dequantize(raw, qtype).astype("<f4").tofile(folder / f"{qtype.name}.f32")

    # Rounding: ordinary values, ties, subnormals, overflow, both zeros.
    x = np.concatenate(
        [
            random.normal(0, 1, 192),
            random.normal(0, 1e-6, 32),
            [0.0, -0.0, 65504.0, 65519.0, 65520.0, -1e9, np.inf, -np.inf],
            [2.0**-24, 2.0**-25, 3 * 2.0**-25, 2.0**-14, 2.0**-14 - 2.0**-25, 1e-40, -1e-45, 3e38],
            [1 + 2.0**-11, 1 + 3 * 2.0**-11, 1 + 2.0**-8, 1 + 3 * 2.0**-8, 1.0, -1.0, 0.5, 2.0],
            random.normal(0, 100, 8),
        ]
    ).astype("<f4")
    x.tofile(folder / "round.f32")
    with np.errstate(over="ignore"):
        x.astype("<f2").tofile(folder / "round.f16")
    torch.from_numpy(x).to(torch.bfloat16).view(torch.int16).numpy().tofile(folder / "round.bf16")
    y = np.concatenate([random.normal(0, 1, 224), np.zeros(32)]).astype("<f4")
    y[:4] = [127.0, 0.5, -0.5, 1.5]  # scale 1 exactly, so that ties are ties
    y[4:32] = np.clip(y[4:32] * 30, -120, 120)
    y.tofile(folder / "quantise.f32")
    quants.quantize(y, Q.Q8_0).tofile(folder / "quantise.q8_0")
    low_blocks(folder)


def low_blocks(folder):
    """Types of four and five bits: ordinary values of many scales, ties, equal values, the farthest
    twice with either sign, nothing but zeros, zeros of both signs, one value alone."""
    random = np.random.default_rng(11)
    z = np.concatenate(
        [random.normal(0, 1, 32 * 40), random.normal(0, 1e-3, 32 * 40), random.normal(3, 1e-2, 32 * 16)]
        + [np.arange(32) / 4 - 4, np.arange(32) / 2 - 8, np.arange(32) - 16.0, np.arange(32) + 0.5]
        + [np.full(32, 0.7), np.tile([2.0, -2.0], 16), np.tile([-2.0, 2.0, 0.3, -0.1], 8)]
        + [np.zeros(32), np.tile([0.0, -0.0], 16), np.eye(32)[5] * -3e-5, random.normal(0, 3e4, 32)]
    ).astype("<f4")
    z.tofile(folder / "quantise-low.f32")
    for qtype in (Q.Q4_0, Q.Q4_1, Q.Q5_0, Q.Q5_1):
        quants.quantize(z, qtype).tofile(folder / f"quantise.{qtype.name.lower()}")


def llama2c_pieces():
    """The bytes of each token of tokenizer/llama2c.bin."""
    data = (OUT.parent / "tokenizer" / "llama2c.bin").read_bytes()
    pieces, at = [], 4
    while at < len(data):
        length = struct.unpack_from("i", data, at + 4)[0]
        pieces.append(data[at + 8 : at + 8 + length])
        at += 8 + length
    return pieces


def llama2c_checkpoint(model):
    """A checkpoint as llama2.c's export.py lays it out: rows of the query and key projections are in
    rotary pairs, and tables of cosines and sines stand before its end."""
    c = model.config
    head = c.hidden_size // c.num_attention_heads
    state = model.state_dict()

    def stacked(part):
        matrices = [state[f"model.layers.{i}.{part}.weight"] for i in range(c.num_hidden_layers)]
        if "q_proj" in part or "k_proj" in part:
            shape = (-1, 2, head // 2, c.hidden_size)
            matrices = [m.view(shape).transpose(1, 2).reshape(m.shape) for m in matrices]
        return torch.stack(matrices)

    parts = ["input_layernorm", *(f"self_attn.{p}_proj" for p in "qkvo")]
    parts += ["post_attention_layernorm", *(f"mlp.{p}_proj" for p in ("gate", "down", "up"))]
    tensors = [state["model.embed_tokens.weight"], *map(stacked, parts), state["model.norm.weight"]]
    tensors.append(torch.zeros(c.max_position_embeddings, head))
    header = [c.hidden_size, c.intermediate_size, c.num_hidden_layers, c.num_attention_heads]
    header += [c.num_key_value_heads, c.vocab_size, c.max_position_embeddings]
    return struct.pack("7i", *header) + b"".join(t.numpy().tobytes() for t in tensors)


def llama2c():
    """A small random checkpoint of llama2.c and its greedy text as run.c prints it: from BOS on, the
    first space dropped, ended by BOS."""
    pieces = llama2c_pieces()
    torch.manual_seed(2)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(pieces),
            hidden_size=16,
            intermediate_size=20,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=64,
            rms_norm_eps=1e-5,
            initializer_range=0.6,
            tie_word_embeddings=True,
            attn_implementation="eager",
        )
    ).eval()
    with torch.no_grad():  # Or each token would be followed by itself.
        model.model.embed_tokens.weight.mul_(0.1)
    (OUT / "llama2c.bin").write_bytes(llama2c_checkpoint(model))
    ids, margin = [1], float("inf")
    while len(ids) < 64:
        with torch.no_grad():
            best = model(torch.tensor([ids])).logits[0, -1].topk(2)
        margin = min(margin, (best.values[0] - best.values[1]).item())
        if best.indices[0] == 1:
            break
        ids.append(best.indices[0].item())
    assert margin > 1e-3, margin
    raw = [bytes([i - 3]) if 3 <= i < 259 else pieces[i] for i in ids[1:]]
    raw[0] = raw[0].removeprefix(b" ")
    golden = {"ids": ids[1:], "text": b"".join(raw).decode(errors="replace")}
    (OUT / "llama2c-greedy.json").write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    models()
    adapter()
    gguf_models()
    blocks()
    llama2c()
