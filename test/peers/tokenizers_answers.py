"""Byte-level BPE tokenizers in the manner of published models, and the ids that Python's `tokenizers` gives.

    tokenizers_answers.py FOLDER

Each tokenizer has the normalizer and the pre-tokenizer of a family and a small vocabulary trained on the texts below.
The files under test/fixtures/tokenizers were written by `tokenizers_answers.py test/fixtures/tokenizers`.
"""

import json
import sys
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

TEXTS = [
    "Hello world, it's what we'll do: I'VE, they'd, we'Re; don't!",
    "The quick brown fox jumps over the lazy dog. The answer is \\boxed{42}.",
    "Zażółć gęślą jaźń; Größe, naïve café, œuvre, İstanbul, Ω≈ç√∫˜µ",
    "cafe\u0301 A\u030angstro\u0308m e\u0323\u0302 \u1e9b\u0323 \ufb01 \u212b \uac00 \u1100\u1161 \u0958",
    "Быстрая коричневая лиса прыгает через ленивую собаку; ёлка, 12 345,67 ₽",
    "Γειά σου Κόσμε· Ἀρχιμήδης ΣΟΦΟΣ ς",
    "今天天气很好，我们去公园吧。计算：三加五等于八，３＋５＝８。",
    "吾輩は猫である。名前はまだ無い。カタカナ ﾊﾝｶｸ がぎぐげご か\u3099",
    "안녕하세요 세계! 오늘은 2024년 5월입니다.",
    "مرحبا بالعالم، السَّلَامُ عَلَيْكُم ١٢٣٤٥",
    "שלום עולם! בְּרֵאשִׁית",
    "नमस्ते दुनिया, हिन्दी में १२३; தமிழ் வணக்கம்; ไทย สวัสดีครับ; বাংলা",
    "😀 👩‍👩‍👧‍👦 👍🏽 🇩🇪🇯🇵 ❤️ ✌🏿 🏴󠁧󠁢󠁥󠁮󠁧󠁿 a😀b",
    "def f(x: int) -> int:\n    if x <= 0:\n\t\treturn 1\n    return x*f(x-1)  # n!\n\n\nprint(f(10))\n",
    "const a = [1, 2, ...b].map((x) => x ** 2);\r\n\r\n/* == != === */ `${a}` && !c || d?.e;\r\n",
    "<html>\n  <div class=\"a\">&nbsp;</div>\n</html>   \n \t \n",
    "x^2 + y^2 = z^2, \\frac{a}{b} \\sum_{i=0}^{n} \\alpha_i, ∀x∈ℝ: x² ≥ 0, ½ + ⅓ = ⅚, Ⅷ ⑤ 10⁻³",
    "1 12 123 1234 12345 123456 1234567 3.14159 1,000,000 0x1F 1e-10 -7 +8 50% $5 2024-05-17",
    "   leading and   inner    spaces and trailing   ",
    " ",
    "\n",
    "\n\n \n  \n",
    "a\u00a0b\u2003c\u3000d\u2028e\u2029f\u0085g\ufeffh\u200bi\u180ej\u000bk\u000cl\u001cm\u205f n",
    "\ufeff\ufeff start \ufeff middle\ufeff \u0085\u0085 x",
    "it\u017f 'ſ 'S 'LL 'ſs \u212a 'K ’s don’t",
    "_snake_case camelCase __init__ --flag a/b\\c user@example.com https://example.com/?q=1&r=2#z",
    "…—–“”‘’«»„‟‹›¿¡†‡•§¶©®™°",
    "\u0301a \u200d \u00ad soft\u00adhyphen \U000e0001 \ue000 \ufffd \x00\x01\x7f",
    "<|im_start|>user\n1+1=?<|im_end|>\n<|im_start|>assistant\n<think>\n2</think> ok<|im_end|>",
    "a <|im_end|> b<|im_end|><|im_end|>",
    "<|im_start|>  <think>   x  </think>\u00a0",
    "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝟙𝟚𝟛 𐍈 𒀀 𠜎𠜱 ﷺ ㍿ ﬃ ǅ",
    "k \ufefff 1 \ufeffI; ၀၀ ٣٣ Ⅻ① ⁰₂ 1½2 a½b ½½ +½",
    "",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa !!!!!!!!!!!!!!!! ================ 0000000000000000",
]

LETTERS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
DEEPSEEK = (
    r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
    r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def split(pattern):
    return pre_tokenizers.Split(Regex(pattern), behavior="isolated")


def bytes_only():
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)


FAMILIES = {
    "qwen": (normalizers.NFC(), [split(LETTERS + r"\p{N}" + REST), bytes_only()], {}),
    "llama3": (None, [split(LETTERS + r"\p{N}{1,3}" + REST), bytes_only()], {"ignore_merges": True}),
    "smollm": (
        None,
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)],
        {},
    ),
    "deepseek": (
        None,
        [split(r"\p{N}{1,3}"), split("[一-龥\u3040-ゟ゠-ヿ]+"), split(DEEPSEEK), bytes_only()],
        {},
    ),
    "gpt2": (None, [pre_tokenizers.ByteLevel(add_prefix_space=False)], {}),
}


def trained(normalizer, steps, options):
    tokenizer = Tokenizer(models.BPE(**options))
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps) if len(steps) > 1 else steps[0]
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        TEXTS * 2,
        trainers.BpeTrainer(vocab_size=700, initial_alphabet=alphabet, show_progress=False),
    )
    tokenizer.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    tokenizer.add_tokens([AddedToken("<think>", normalized=False), AddedToken("</think>", normalized=False)])
    return tokenizer


out = Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
answers = {}
for name, (normalizer, steps, options) in FAMILIES.items():
    tokenizer = trained(normalizer, steps, options)
    (out / f"{name}.json").write_text(json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False) + "\n")
    # Of the file, which is what the tests read.
    tokenizer = Tokenizer.from_file(str(out / f"{name}.json"))
    ids = [tokenizer.encode(text, add_special_tokens=False).ids for text in TEXTS]
    answers[name] = {
        "ids": ids,
        "decoded": [tokenizer.decode(found, skip_special_tokens=False) for found in ids],
    }
text = json.dumps({"texts": TEXTS, "answers": answers}, ensure_ascii=True, separators=(",", ":"))
(out / "answers.json").write_text(text + "\n")
