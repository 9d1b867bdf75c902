/** The peer's figures, measured by `peer_speed.py` with the same model, shapes and threads. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { ModelConfig } from '../../engine/model/architecture.ts';
import { formatModelConfig } from '../../engine/model/model-config.ts';
import { peerPython } from './peer-python.ts';

/** Pinned versions, since figures depend on them. */
const PACKAGES = ['torch==2.13.0', 'transformers==5.23.0'];
export const PEER = 'transformers 5.23 on PyTorch 2.13';

export interface PeerQuestion {
  threads: number;
  config: ModelConfig;
  decode: { sequences: number; prompt: number; completion: number };
  /** batches, each with the prompt and completion lengths of its sequences */
  train: readonly (readonly [number, number][])[];
}

/** Tokens per second; for training, of each batch. */
const answerSchema = z.strictObject({
  decode: z.number().positive(),
  train: z.array(z.number().positive()),
});
export type PeerFigures = z.infer<typeof answerSchema>;

/** Null where the peer is not available; the reason is printed. `installed`: a Python that has it already. */
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
