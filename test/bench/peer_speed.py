"""The peer's speed in what `npm run bench` measures: decoding by transformers, a GRPO step by PyTorch.

Reads a question as JSON on standard input, prints tokens per second, best of several.
Axes: B = sequences, T = tokens of a completion.
"""

import json
import sys
import time

import torch
from transformers import LlamaConfig, LlamaForCausalLM

question = json.load(sys.stdin)
torch.set_num_threads(question["threads"])
torch.manual_seed(1)
model = LlamaForCausalLM(LlamaConfig(**question["config"]))
VOCAB = question["config"]["vocab_size"]


def best(tokens, repeats, run):
    """Tokens per second of the fastest run; the first two are not counted."""
    seconds = []
    for _ in range(repeats + 2):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return tokens / min(seconds[2:])


def decode(sequences, prompt, completion):
    prompts = torch.randint(VOCAB, (sequences, prompt))

    def run():
        model.generate(
            prompts,
            attention_mask=torch.ones_like(prompts),
            do_sample=True,
            temperature=1.0,
            top_k=0,
            top_p=1.0,
            min_new_tokens=completion,
            max_new_tokens=completion,
            pad_token_id=0,
        )

    return best(sequences * completion, 3, run)


def train(lengths):
    """As in TRL's trainer: prompts padded on the left, completions on the right, logits only of completions;
    token-level ratio, clipped, k3 to the reference, mean over completions of their means."""
    prompts, completions = (torch.tensor(each) for each in zip(*lengths))
    longest_prompt, longest = int(prompts.max()), int(completions.max())
    tokens = torch.randint(VOCAB, (len(lengths), longest_prompt + longest))
    mask_bt = (torch.arange(longest) < completions[:, None]).float()
    is_prompt = torch.arange(longest_prompt) >= longest_prompt - prompts[:, None]
    attention_mask = torch.cat([is_prompt.long(), mask_bt.long()], 1)
    advantages_b1 = torch.randn(len(lengths), 1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.0)
    chosen_bt1 = tokens[:, longest_prompt:, None]

    def logprobs():
        logits = model(tokens, attention_mask=attention_mask, logits_to_keep=longest + 1).logits[:, :-1]
        return logits.gather(-1, chosen_bt1)[..., 0] - torch.logsumexp(logits, -1)

    with torch.no_grad():
        old_bt = logprobs()
        reference_bt = old_bt + 0.01 * torch.randn_like(old_bt)

    def run():
        current_bt = logprobs()
        ratio_bt = torch.exp(current_bt - old_bt)
        clipped_bt = torch.clamp(ratio_bt, 0.8, 1.2)
        gain_bt = torch.min(ratio_bt * advantages_b1, clipped_bt * advantages_b1)
        difference_bt = reference_bt - current_bt
        kl_bt = torch.exp(difference_bt) - difference_bt - 1
        loss_bt = -(gain_bt - 0.001 * kl_bt) * mask_bt
        optimizer.zero_grad()
        (loss_bt.sum(-1) / mask_bt.sum(-1)).mean().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    return best(int((prompts + completions - 1).sum()), 10, run)


print(
    json.dumps(
        {
            "decode": decode(**question["decode"]),
            "train": [train(lengths) for lengths in question["train"]],
        }
    )
)
