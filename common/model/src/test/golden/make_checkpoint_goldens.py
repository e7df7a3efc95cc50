"""Writes src/test/resources/golden/checkpoints: directories whose files do not agree with each other, and what
transformers loads of them: the sum of each tensor, and whether the head is tied.

Run with torch, transformers and safetensors installed:
    python make_checkpoint_goldens.py
Every value is a whole number of 64ths, so that sums are exact in any order.
"""

import json
import pathlib
import shutil

import torch
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

OUT = pathlib.Path(__file__).parent.parent / "resources" / "golden" / "checkpoints"
INDEX = "model.safetensors.index.json"


def config(**more):
    sizes = dict(
        vocab_size=16,
        hidden_size=8,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=16,
        bos_token_id=1,
        eos_token_id=2,
    )
    return LlamaConfig(**{**sizes, **more})


def weights(seed, of):
    torch.manual_seed(seed)
    state = LlamaForCausalLM(of).state_dict()
    return {n: torch.randint(-64, 65, t.shape).float() / 64 for n, t in state.items()}


def folder(name, of):
    path = OUT / name
    path.mkdir(parents=True)
    text = of.to_json_string(use_diff=False)
    keep = {k: v for k, v in json.loads(text).items() if k in KEPT}
    (path / "config.json").write_text(json.dumps(keep, indent=1) + "\n")
    return path


KEPT = {
    "model_type", "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
    "num_key_value_heads", "max_position_embeddings", "bos_token_id", "eos_token_id", "tie_word_embeddings",
}  # fmt: skip


def save(tensors, path):
    save_file({n: t.contiguous() for n, t in tensors.items()}, path, metadata={"format": "pt"})


def shards(path, tensors, extra=()):
    names = sorted(tensors)
    halves = [names[: len(names) // 2], names[len(names) // 2 :]]
    entries = {}
    for number, half in enumerate(halves):
        file = f"model-{number + 1:05d}-of-00002.safetensors"
        save({n: tensors[n] for n in half}, path / file)
        entries.update({n: file for n in half})
    entries.update({n: "model-00001-of-00002.safetensors" for n in extra})
    (path / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": entries}, indent=1) + "\n")


def make():
    plain, tied = config(tie_word_embeddings=False), config(tie_word_embeddings=True)
    new, old = weights(1, plain), weights(2, plain)

    path = folder("single-over-stale-shards", plain)
    save(new, path / "model.safetensors")
    shards(path, old)
    path = folder("single-over-lone-index", plain)
    save(new, path / "model.safetensors")
    shards(path, old)
    for shard in path.glob("model-*"):
        shard.unlink()
    shards(folder("entries-too-many", plain), new, ["model.layers.0.self_attn.rotary_emb.inv_freq"])

    embedding = new["model.embed_tokens.weight"]
    save(new, folder("head-of-its-own", tied) / "model.safetensors")
    same = {**new, "lm_head.weight": embedding.clone()}
    save(same, folder("head-of-the-embedding", tied) / "model.safetensors")
    same["lm_head.weight"] = embedding.to(torch.bfloat16)
    save(same, folder("head-in-another-type", tied) / "model.safetensors")

    two = weights(3, config(num_hidden_layers=2, tie_word_embeddings=False))
    save(two, folder("layers-too-many", plain) / "model.safetensors")
    more = {**new, "model.layers.0.self_attn.q_proj.bias": torch.ones(8)}
    save(more, folder("a-tensor-of-nothing", plain) / "model.safetensors")


def loaded():
    result = {}
    for path in sorted(p for p in OUT.iterdir() if p.is_dir()):
        model = LlamaForCausalLM.from_pretrained(path, dtype=torch.float32)
        state = model.state_dict()
        tied = state["lm_head.weight"].data_ptr() == state["model.embed_tokens.weight"].data_ptr()
        if tied:
            del state["lm_head.weight"]
        sums = {n: t.double().sum().item() for n, t in state.items()}
        result[path.name] = {"tied": tied, "sums": sums}
    (OUT / "loaded.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    shutil.rmtree(OUT, ignore_errors=True)
    make()
    loaded()
