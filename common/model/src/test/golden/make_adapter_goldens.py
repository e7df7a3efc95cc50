"""Writes src/test/resources/golden/adapters: LoRA adapters as peft saves them, and what it merges them to.

Run with torch, transformers, peft and safetensors installed:
    python make_adapter_goldens.py
base and base-tied are small LLaMA models of random weights. Each further folder holds an adapter over
one of them and merged.safetensors, the tensors of PeftModel.from_pretrained(base, folder).merge_and_unload()
that differ from the base's, in float32; of tied ones, the one. asked holds copies of plain with something changed; asked.json
says whether peft loads them, and whether they then merge to what plain does.
"""

import json
import pathlib
import shutil

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import LlamaConfig, LlamaForCausalLM

OUT = pathlib.Path(__file__).parent.parent / "resources" / "golden" / "adapters"
VOCAB = 24


def base(tied):
    torch.manual_seed(5)
    config = LlamaConfig(
        vocab_size=VOCAB,
        hidden_size=8,
        intermediate_size=12,
        num_hidden_layers=3,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=32,
        bos_token_id=1,
        eos_token_id=2,
        tie_word_embeddings=tied,
        initializer_range=0.3,
    )
    model = LlamaForCausalLM(config)
    folder = OUT / ("base-tied" if tied else "base")
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink()


def fill(model):
    """Random values in place of the zeros and copies that training would begin with."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if any(part in name for part in ("lora_", "modules_to_save", "trainable_tokens_delta")):
                parameter.add_(torch.randn_like(parameter) * 0.3)


def clean(folder, base):
    (folder / "README.md").unlink(missing_ok=True)
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text())
    config["base_model_name_or_path"] = base
    if isinstance(config["target_modules"], list):
        config["target_modules"] = sorted(config["target_modules"])
    path.write_text(json.dumps(config, indent=1, sort_keys=True) + "\n")


def load(folder, base="base"):
    model = LlamaForCausalLM.from_pretrained(OUT / base, dtype=torch.float32)
    return PeftModel.from_pretrained(model, folder)


def merged(folder, base):
    before = LlamaForCausalLM.from_pretrained(OUT / base, dtype=torch.float32).state_dict()
    after = load(folder, base).merge_and_unload().state_dict()
    assert before.keys() == after.keys(), after.keys() ^ before.keys()
    if base == "base-tied":
        assert torch.equal(after.pop("lm_head.weight"), after["model.embed_tokens.weight"])
    changed = {n: t.contiguous() for n, t in after.items() if not torch.equal(t, before[n])}
    assert changed
    save_file(changed, folder / "merged.safetensors")


def adapter(name, base="base", **options):
    torch.manual_seed(len(name))
    folder = OUT / name
    model = LlamaForCausalLM.from_pretrained(OUT / base, dtype=torch.float32)
    model = get_peft_model(model, LoraConfig(**{"task_type": "CAUSAL_LM", **options}))
    fill(model)
    model.save_pretrained(folder)
    clean(folder, base)
    merged(folder, base)


def adapters():
    adapter("plain", r=2, lora_alpha=4, target_modules=["q_proj", "v_proj"])
    adapter("rslora", r=4, lora_alpha=6, use_rslora=True, target_modules=["down_proj"])
    adapter("regex", r=2, lora_alpha=4, target_modules=r".*\.[02]\.(self_attn\.[qk]|mlp\.up)_proj")
    adapter("all-linear", r=2, lora_alpha=3, target_modules="all-linear")
    adapter("layers", r=2, lora_alpha=4, target_modules=["o_proj"], layers_to_transform=[0, 2])
    adapter(
        "layers-pattern",
        r=2,
        lora_alpha=4,
        target_modules=["o_proj"],
        layers_to_transform=1,
        layers_pattern="layers",
    )
    adapter(
        "excluded",
        r=2,
        lora_alpha=4,
        target_modules=["q_proj", "k_proj"],
        exclude_modules=r".*\.1\..*",
    )
    patterns = dict(
        r=2,
        lora_alpha=4,
        target_modules=["q_proj", "v_proj", "up_proj"],
        rank_pattern={"up_proj": 3, r"layers\.0\.self_attn\.q_proj": 4, "q_proj": 1},
        alpha_pattern={r"^model.*\.2\..*v_proj": 5, "up_proj": 7, r"0\..*q_proj": 9},
    )
    adapter("patterns", **patterns)
    adapter("patterns-rslora", use_rslora=True, **patterns)
    adapter(
        "saved",
        r=2,
        lora_alpha=4,
        target_modules=["q_proj"],
        modules_to_save=["lm_head", "embed_tokens", "norm"],
    )
    adapter("saved-block", r=2, lora_alpha=4, target_modules=["q_proj"], modules_to_save=["mlp"])
    adapter("embedding", r=2, lora_alpha=4, target_modules=["q_proj", "embed_tokens", "lm_head"])
    adapter("fan-in", r=2, lora_alpha=4, target_modules=["q_proj"], fan_in_fan_out=True)
    tokens = dict(r=2, lora_alpha=4, target_modules=["q_proj"])
    adapter("tokens", trainable_token_indices=[5, 1, 23], **tokens)
    both = {"embed_tokens": [3, 1], "lm_head": [1, 2, 3]}
    adapter("tokens-of-both", trainable_token_indices=both, **tokens)
    same = {"embed_tokens": [1, 2], "lm_head": [1, 2]}
    adapter("tokens-tied", base="base-tied", trainable_token_indices=same, **tokens)
    adapter("gaussian", r=2, lora_alpha=4, target_modules=["q_proj"], init_lora_weights="gaussian")


def asked():
    """What peft does with plain, where its configuration or its tensors are changed so."""
    answers = {}

    def ask(name, config={}, tensors=lambda t: t):
        folder = OUT / "asked" / name
        folder.mkdir(parents=True)
        own = json.loads((OUT / "plain" / "adapter_config.json").read_text())
        text = json.dumps({**own, **config}, indent=1, sort_keys=True)
        (folder / "adapter_config.json").write_text(text + "\n")
        changed = tensors(load_file(OUT / "plain" / "adapter_model.safetensors"))
        save_file(changed, folder / "adapter_model.safetensors")
        before = LlamaForCausalLM.from_pretrained(OUT / "base", dtype=torch.float32).state_dict()
        try:
            after = load(folder).merge_and_unload().state_dict()
            answers[name] = {"loads": True, "as_plain": merged_as_plain(before, after)}
        except Exception as e:
            answers[name] = {"loads": False, "error": type(e).__name__}

    plain = load_file(OUT / "plain" / "merged.safetensors")

    def merged_as_plain(before, after):
        return all(torch.allclose(t, plain.get(n, before[n])) for n, t in after.items())

    prefix = "base_model.model."
    more = lambda **new: lambda t: {**t, **{prefix + n.replace("__", "."): v for n, v in new.items()}}
    ask("nothing-changed")
    ask("another-rank", {"r": 3})
    ask("a-target-without-tensors", {"target_modules": ["q_proj", "v_proj", "up_proj"]})
    ask("tensors-of-no-target", {"target_modules": ["q_proj"]})
    ask("tensors-of-no-layer", {"layers_to_transform": [0, 1]})
    ask("a-saved-module-without-tensors", {"modules_to_save": ["lm_head"]})
    ask(
        "some-saved-modules-without-tensors",
        {"modules_to_save": ["norm"]},
        more(model__norm__weight=torch.ones(8)),
    )
    ask(
        "a-resized-vocabulary",
        {},
        more(
            lm_head__weight=torch.ones(VOCAB + 2, 8),
            model__embed_tokens__weight=torch.ones(VOCAB + 2, 8),
        ),
    )
    ask("names-of-an-adapter", {}, lambda t: {k.replace(".weight", ".default.weight"): v for k, v in t.items()})
    ask("a-lone-factor", {}, lambda t: {k: v for k, v in t.items() if "0.self_attn.q_proj.lora_B" not in k})
    ask("use_dora", {"use_dora": True})
    ask("bias", {"bias": "all"})
    ask("lora_bias", {"lora_bias": True})
    ask("layer_replication", {"layer_replication": [[0, 2], [1, 3]]})
    ask("trainable_token_indices", {"trainable_token_indices": [1, 2]})
    ask("target_parameters", {"target_parameters": ["q_proj.weight"]})
    ask("pissa", {"init_lora_weights": "pissa"})
    ask("an-unknown-key", {"no_such_key": 3})
    (OUT / "asked.json").write_text(json.dumps(answers, indent=1) + "\n")


if __name__ == "__main__":
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    base(False)
    base(True)
    adapters()
    asked()
