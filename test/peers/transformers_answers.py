"""The results of a model's folder by transformers: reads a question as JSON on standard input, prints the answers."""

import json
import sys

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

question = json.load(sys.stdin)
folder = question["folder"]
model, report = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
tokenizer = AutoTokenizer.from_pretrained(folder)


def logprobs(prompt, completion):
    """Log-probabilities of a completion's tokens after a prompt."""
    with torch.no_grad():
        logits = model(torch.tensor([prompt + completion])).logits[0]
    rows = torch.log_softmax(logits.double(), -1)[len(prompt) - 1 : -1]
    return rows.gather(1, torch.tensor(completion)[:, None])[:, 0].tolist()


weights = load_file(f"{folder}/model.safetensors")
save_file(weights, f"{folder}/rewritten.safetensors", metadata={"format": "pt"})
encoded = [tokenizer.encode(text, add_special_tokens=False) for text in question["texts"]]
print(
    json.dumps(
        {
            "loading": {key: sorted(map(str, value)) for key, value in report.items() if key != "error_msgs"},
            "logprobs": [logprobs(prompt, completion) for prompt, completion in question["sequences"]],
            "encoded": encoded,
            "decoded": [tokenizer.decode(ids) for ids in encoded],
            "shown": [tokenizer.decode(ids, skip_special_tokens=True) for ids in encoded],
            "chat": tokenizer.apply_chat_template(question["messages"], add_generation_prompt=True, tokenize=False),
            "eos": tokenizer.eos_token_id,
            "pad": tokenizer.pad_token_id,
        }
    )
)
