/** The peer's figures, taken by `peer_speed.py` with the same model, shapes and threads. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { ModelConfig } from '../../engine/model/architecture.ts';
import { formatModelConfig } from '../../engine/model/model-config.ts';
import { peerPython } from './peer-python.ts';

/** Pinned: another version is another peer. */
const PACKAGES = ['torch==2.13.0', 'transformers==5.23.0'];
export const PEER = 'transformers 5.23 on PyTorch 2.13';

export interface PeerQuestion {
  threads: number;
  config: ModelConfig;
  decode: { sequences: number; prompt: number; completion: number };
  /** batches, each of the lengths of its sequences' prompts and completions */
  train: readonly (readonly [number, number][])[];
}

/** Tokens a second; of training by batch. */
const answerSchema = z.strictObject({
  decode: z.number().positive(),
  train: z.array(z.number().positive()),
});
export type PeerFigures = z.infer<typeof answerSchema>;

/** Null, with the reason told, where the peer cannot be had. `installed`: a Python that has it already. */
export function peerFigures(
  { config, ...question }: PeerQuestion,
  installed: string | undefined,
): PeerFigures | null {
  const script = fileURLToPath(new URL('./peer_speed.py', import.meta.url));
  try {
    const python = installed ?? peerPython('transformers', PACKAGES);
    const input = JSON.stringify({ ...question, config: JSON.parse(formatModelConfig(config)) });
    const answer = execFileSync(python, [script], {
      input,
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    return answerSchema.parse(JSON.parse(answer));
  } catch (error) {
    console.error(`${PEER}: not measured: ${error instanceof Error ? error.message : error}`);
    return null;
  }
}
