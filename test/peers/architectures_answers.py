"""Logits, gradients and greedy completions of tiny models by transformers, one folder a model.

    architectures_answers.py FOLDER [SEED]

Each folder gets `config.json` as published models spell it, `answers.json` and `answers.safetensors`. Weights are
drawn from the seed by a generator that the tests in TypeScript repeat bit by bit. The folders under
test/fixtures/architectures were written by `architectures_answers.py test/fixtures/architectures`.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM

torch.set_num_threads(1)

COMMON = {
    "vocab_size": 48,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "rms_norm_eps": 1e-6,
    "rope_theta": 10000.0,
    "hidden_act": "silu",
    "tie_word_embeddings": False,
    "bos_token_id": 0,
    "eos_token_id": 1,
}
LLAMA = {**COMMON, "model_type": "llama", "architectures": ["LlamaForCausalLM"], "head_dim": 8}
QWEN2 = {
    **COMMON,
    "model_type": "qwen2",
    "architectures": ["Qwen2ForCausalLM"],
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "rope_theta": 1000000.0,
    "use_sliding_window": False,
    "sliding_window": 8,
    "max_window_layers": 1,
    "tie_word_embeddings": True,
}
QWEN3 = {
    **COMMON,
    "model_type": "qwen3",
    "architectures": ["Qwen3ForCausalLM"],
    "head_dim": 16,
    "attention_bias": False,
    "use_sliding_window": False,
    "sliding_window": None,
    "rope_scaling": None,
}


def newer(config, **scaling):
    """The spelling of transformers from 5 on."""
    rest = {key: value for key, value in config.items() if key not in ("rope_theta", "rope_scaling")}
    return {**rest, "rope_parameters": {"rope_theta": config["rope_theta"], **scaling}}


LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}

MODELS = {
    "llama-biased": {**LLAMA, "attention_bias": True, "tie_word_embeddings": True},
    "llama-linear": {**LLAMA, "rope_scaling": {"type": "linear", "factor": 4.0}},
    "llama-llama3": {**LLAMA, "rope_scaling": LLAMA3},
    "llama-yarn": newer(LLAMA, rope_type="yarn", factor=4.0, original_max_position_embeddings=16),
    "llama-dynamic": {**LLAMA, "rope_scaling": {"rope_type": "dynamic", "factor": 4.0}},
    "qwen2": QWEN2,
    "qwen2-yarn": {
        **QWEN2,
        "rope_theta": 10000.0,
        "rope_scaling": {
            "type": "yarn",
            "factor": 4.0,
            "original_max_position_embeddings": 16,
            "beta_fast": 4,
            "beta_slow": 0.5,
            "mscale": 1.5,
            "mscale_all_dim": 0.5,
            "truncate": False,
        },
    },
    "qwen3": QWEN3,
    "qwen3-llama3": newer({**QWEN3, "attention_bias": True, "tie_word_embeddings": True}, **LLAMA3),
}

LENGTHS = [(5, 43), (1, 22), (7, 2)]
GREEDY_TOKENS = 24
# Greedy completions are comparable where the greatest logits are further apart than those of two engines.
LEAST_MARGIN = 1e-3


def draws(seed, count):
    """mulberry32, uniform in [0, 1)."""
    with np.errstate(over="ignore"):
        t = np.uint32(seed) + np.uint32(0x6D2B79F5) * np.arange(1, count + 1, dtype=np.uint32)
        t = (t ^ (t >> np.uint32(15))) * (t | np.uint32(1))
        t = t ^ (t + (t ^ (t >> np.uint32(7))) * (t | np.uint32(61)))
    return (t ^ (t >> np.uint32(14))).astype(np.float64) / 2.0**32


def weights(model, seed):
    """Matrices of range ±2/√in, norms 1 ± 0.3, biases ±0.5, by name in order of the alphabet."""
    for index, (name, weight) in enumerate(sorted(model.named_parameters())):
        center = 1.0 if "norm" in name else 0.0
        scale = 2 / np.sqrt(weight.shape[1]) if weight.dim() == 2 else 0.3 if "norm" in name else 0.5
        values = center + scale * (2 * draws(seed + 7919 * index, weight.numel()) - 1)
        yield name, weight, torch.from_numpy(values.astype(np.float32)).reshape(weight.shape)


def tokens(seed, count, vocabulary):
    return np.floor(draws(seed, count) * vocabulary).astype(int).tolist()


def gradients(model, sequences, advantages):
    """Of −1/B · Σ_b A_b/T_b · Σ_t log π(token t)."""
    model.zero_grad()
    loss = 0
    for (prompt, completion), advantage in zip(sequences, advantages):
        logits = model(torch.tensor([prompt + completion])).logits[0]
        rows = torch.log_softmax(logits, -1)[len(prompt) - 1 : -1]
        chosen = rows.gather(1, torch.tensor(completion)[:, None])
        loss = loss - advantage * chosen.mean() / len(sequences)
    loss.backward()
    return {name: weight.grad.float().clone() for name, weight in model.named_parameters()}


def greedy(model, prompt):
    """Tokens of the greatest logits, and the least distance from a second greatest."""
    found, margin = list(prompt), float("inf")
    for _ in range(GREEDY_TOKENS):
        best = model(torch.tensor([found])).logits[0, -1].topk(2)
        margin = min(margin, (best.values[0] - best.values[1]).item())
        found.append(best.indices[0].item())
    return found[len(prompt) :], margin


def write(folder, config, seed):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    read = AutoConfig.from_pretrained(folder)
    model = AutoModelForCausalLM.from_config(read, attn_implementation="eager", dtype=torch.float32)
    model.eval()
    with torch.no_grad():
        for _, weight, values in weights(model, seed):
            weight.copy_(values)
    sequences = [
        (tokens(seed + 2 * i, prompt, read.vocab_size), tokens(seed + 2 * i + 1, completion, read.vocab_size))
        for i, (prompt, completion) in enumerate(LENGTHS)
    ]
    advantages = [1.0, -0.5, 0.25]
    with torch.no_grad():
        logits = [model(torch.tensor([prompt + completion])).logits[0] for prompt, completion in sequences]
        completions = [greedy(model, prompt) for prompt, _ in sequences]
    if min(margin for _, margin in completions) < LEAST_MARGIN:
        return write(folder, config, seed + 1)
    single = gradients(model, sequences, advantages)
    double = gradients(model.double(), sequences, advantages)
    save_file(
        {
            **{f"logits.{i}": values for i, values in enumerate(logits)},
            **{f"float32.{name}": values for name, values in single.items()},
            **{f"float64.{name}": values for name, values in double.items()},
        },
        folder / "answers.safetensors",
    )
    answers = {
        "seed": seed,
        "written_by_transformers": json.loads(read.to_json_string()),
        "sequences": [{"prompt": prompt, "completion": completion} for prompt, completion in sequences],
        "advantages": advantages,
        "greedy": [found for found, _ in completions],
    }
    text = json.dumps(answers, separators=(",", ":"), sort_keys=True)
    (folder / "answers.json").write_text(text + "\n")


seed = int(sys.argv[2]) if len(sys.argv) > 2 else 20
for name, config in MODELS.items():
    write(Path(sys.argv[1]) / name, config, seed)
