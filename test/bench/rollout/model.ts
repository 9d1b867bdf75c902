/** The base of the benchmark: a Hugging Face folder that passes every check of a launch, with a large tokenizer. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expectedTensors } from '../../../engine/model/architecture.ts';
import { formatModelConfig, parseModelConfig } from '../../../engine/model/model-config.ts';
import { encodeSafetensors } from '../../../engine/weights/safetensors.ts';
import { WEIGHTS_FILE } from '../../../engine/weights/weights.ts';
import { problemOf } from './corpus.ts';
import { makeTokenizer, VOCABULARY } from './tokenizer.ts';

/** Writes the folder and returns its path. All weights are 0: nothing computes with them. */
export async function writeBase(folder: string): Promise<string> {
  const { json, config: tokenizerConfig } = makeTokenizer();
  const config = parseModelConfig({
    model_type: 'llama',
    vocab_size: VOCABULARY,
    hidden_size: 2,
    intermediate_size: 8,
    num_hidden_layers: 1,
    num_attention_heads: 1,
    head_dim: 8,
    max_position_embeddings: 131_072,
    tie_word_embeddings: true,
  });
  const weights = [...expectedTensors(config)].map(([name, shape]) => {
    const elements = shape.reduce((product, size) => product * size, 1);
    return [name, { dtype: 'F32', shape: [...shape], data: new Float32Array(elements) }] as const;
  });
  const path = join(folder, 'base');
  await mkdir(path, { recursive: true });
  const files: Record<string, string | Uint8Array> = {
    'config.json': formatModelConfig(config),
    'tokenizer.json': JSON.stringify(json),
    'tokenizer_config.json': JSON.stringify(tokenizerConfig),
    [WEIGHTS_FILE]: encodeSafetensors(new Map(weights)),
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(path, name), content);
  return path;
}

/** Writes prompts as JSONL, the last `heldOut` of them held out, and returns the file's path. */
export async function writePrompts(folder: string, train: number, heldOut: number): Promise<string> {
  const rows = Array.from({ length: train + heldOut }, (_, number) => {
    const { problem, answer } = problemOf(number);
    return { problem, answer, domain: 'math', split: number < train ? 'train' : 'test' };
  });
  const path = join(folder, 'prompts.jsonl');
  await writeFile(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return path;
}
