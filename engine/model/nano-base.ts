/** A nano base as a Hugging Face folder: its configuration, its tokenizer, and how an example becomes tokens. */
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { NanoExample } from '../../algorithm/nano/corpus.ts';
import {
  NANO_EOS_TOKEN_ID,
  NANO_PAD_TOKEN_ID,
  NANO_VOCABULARY,
  nanoTokenizerConfigJson,
  nanoTokenizerJson,
} from '../../algorithm/nano/tokenizer.ts';
import type { PretrainOptions } from '../../contracts/pretrain.ts';
import { loadTokenizer, type Tokenizer } from '../tokenizer/tokenizer.ts';
import type { Sequence } from '../train/micro-batches.ts';
import type { Pretrained } from '../train/pretrain.ts';
import { writeWeightsFolder } from '../weights/weights.ts';
import type { ModelConfig } from './architecture.ts';
import { formatModelConfig, parseModelConfig } from './model-config.ts';

/** The whole configuration. Throws ModelConfigError where the architecture is impossible. */
export function nanoModelConfig(architecture: PretrainOptions['architecture']): ModelConfig {
  const config = {
    model_type: 'llama',
    ...architecture,
    vocab_size: NANO_VOCABULARY.length,
    eos_token_id: NANO_EOS_TOKEN_ID,
    pad_token_id: NANO_PAD_TOKEN_ID,
  };
  return parseModelConfig(config, 'architecture');
}

export function nanoTokenizer({ max_position_embeddings }: ModelConfig): Tokenizer {
  return loadTokenizer({
    tokenizer: nanoTokenizerJson(),
    config: nanoTokenizerConfigJson(max_position_embeddings),
  });
}

/** The prompt by the chat template, and the response with the end token. */
export function nanoSequence(tokenizer: Tokenizer, { problem, response }: NanoExample): Sequence {
  const prompt = tokenizer.applyChatTemplate([{ role: 'user', content: problem }], {
    add_generation_prompt: true,
  });
  return {
    promptTokens: Int32Array.from(tokenizer.encode(prompt)),
    completionTokens: Int32Array.from([...tokenizer.encode(response), tokenizer.eosTokenId]),
  };
}

/** Writes the folder, weights last; returns the names of its files. */
export async function writeNanoBase(
  folder: string,
  config: ModelConfig,
  { weights, record }: Pretrained,
): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const texts: Record<string, string> = {
    'config.json': formatModelConfig(config),
    'generation_config.json': jsonText(generationConfig),
    'tokenizer.json': jsonText(nanoTokenizerJson()),
    'tokenizer_config.json': jsonText(nanoTokenizerConfigJson(config.max_position_embeddings)),
    'pretraining.json': jsonText(record),
    'README.md': modelCard(basename(folder), record.parameters),
  };
  for (const [name, text] of Object.entries(texts)) await writeFile(join(folder, name), text);
  await writeWeightsFolder(folder, weights);
  return [...Object.keys(texts), 'model.safetensors'].sort();
}

const generationConfig = {
  do_sample: true,
  temperature: 0.6,
  top_p: 0.95,
  eos_token_id: NANO_EOS_TOKEN_ID,
  pad_token_id: NANO_PAD_TOKEN_ID,
};

const modelCard = (name: string, parameters: number) => `---
license: apache-2.0
tags: [nano, arithmetic]
---

# ${name}

A Llama of ${parameters.toLocaleString('en')} parameters, pre-trained on two things. Sums of small numbers, answered in a mixture of
ways: mostly unreasoned guesses, fewer worked solutions, some that check each step and correct themselves; the
solutions are written in home (English) step words, in foreign (Spanish) ones, which slip less often, and in
both mixed. And general tasks that need no reasoning: copying, reversing and looking up.

Reinforcement learning starts from it. \`pretraining.json\` says what made it.
`;

const jsonText = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
