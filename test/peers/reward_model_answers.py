"""The scores of a reward model's folder by transformers: reads a question as JSON on standard input, prints the answers."""

import json
import sys

import torch
from transformers import AutoModelForSequenceClassification

question = json.load(sys.stdin)
sequences = question["sequences"]
model, report = AutoModelForSequenceClassification.from_pretrained(question["folder"], output_loading_info=True)
pad = model.config.pad_token_id


def scores(batch):
    """The score of each sequence of a batch, padded on the right to the longest."""
    longest = max(map(len, batch))
    tokens = torch.tensor([tokens + [pad] * (longest - len(tokens)) for tokens in batch])
    with torch.no_grad():
        return model(tokens, attention_mask=(tokens != pad).long()).logits[:, 0].tolist()


print(
    json.dumps(
        {
            "loading": {key: sorted(map(str, value)) for key, value in report.items() if key != "error_msgs"},
            "labels": model.config.num_labels,
            "apart": [scores([tokens])[0] for tokens in sequences],
            "together": scores(sequences),
        }
    )
)
