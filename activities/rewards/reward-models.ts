import { Failure } from '../../contracts/failures.ts';
import type { TextPlan } from '../../contracts/plan.ts';
import type { Reference } from '../../contracts/reference.ts';
import type { EngineThread } from '../../engine/service/thread.ts';
import type { Tokenizer } from '../../engine/tokenizer/tokenizer.ts';
import { WEIGHTS_FILE } from '../../engine/weights/weights.ts';
import type { ObjectStore } from '../../stores/objects/objects.ts';
import { readJsonFile, readManifest, tokenizerOf } from '../checkpoints/checkpoint-files.ts';
import { createMutex } from '../trainer/held-policy.ts';

/** A stage's rewards use two models in turn: helpfulness and safety. */
const MOST_KEPT = 2;

/** The trained reward models of one process. */
export interface RewardModels {
  tokenizer(manifest: Reference, plan: TextPlan): Promise<Tokenizer>;
  /** r of each sequence; null for a sequence that is too long for the model. */
  score(manifest: Reference, sequencesN: readonly Int32Array[]): Promise<(number | null)[]>;
  close(): Promise<void>;
}

export interface RewardModelsOptions {
  objects: ObjectStore;
  /** starts the engine; called when the first model is needed */
  openEngine: () => EngineThread;
}

/** Models are loaded on first use. The two last used stay loaded, by their manifest's digest. */
export function createRewardModels({ objects, openEngine }: RewardModelsOptions): RewardModels {
  const exclusive = createMutex();
  /** manifest's digest → longest sequence, the last used last */
  const kept = new Map<string, number>();
  let engine: EngineThread | null = null;
  const opened = async (manifest: Reference): Promise<{ engine: EngineThread; longest: number }> => {
    engine ??= openEngine();
    const name = manifest.sha256;
    const longest = kept.get(name) ?? (await load(objects, engine, manifest));
    kept.delete(name);
    kept.set(name, longest);
    for (const oldest of [...kept.keys()].slice(0, -MOST_KEPT)) {
      kept.delete(oldest);
      await engine.call('dropScorer', oldest);
    }
    return { engine, longest };
  };
  return {
    tokenizer: (manifest, plan) => tokenizerOf(objects, manifest, plan),
    score: (manifest, sequencesN) =>
      exclusive(async () => {
        const model = await opened(manifest);
        const fitting = sequencesN.filter(({ length }) => length <= model.longest);
        const scores = await model.engine.call('score', { name: manifest.sha256, sequencesN: fitting });
        const next = scores.values();
        return sequencesN.map(({ length }) => (length <= model.longest ? (next.next().value ?? null) : null));
      }),
    close: async () => {
      await engine?.close();
      engine = null;
      kept.clear();
    },
  };
}

/** Loads a checkpoint for scoring, and returns the longest sequence that it can score. Throws Failure 'CorruptObject'. */
async function load(objects: ObjectStore, engine: EngineThread, reference: Reference): Promise<number> {
  const manifest = await readManifest(objects, reference);
  const file = manifest.files[WEIGHTS_FILE];
  if (file === undefined)
    throw new Failure('CorruptObject', `${reference.uri}: expected ${WEIGHTS_FILE}, found none`);
  const [config, model] = await Promise.all([
    readJsonFile(objects, manifest, 'config.json'),
    objects.get(file),
  ]);
  const name = reference.sha256;
  const { digest, longest } = await engine.callMoving('loadScorer', { name, config, model });
  if (digest === manifest.digests.weights) return longest;
  await engine.call('dropScorer', name);
  throw new Failure(
    'CorruptObject',
    `${reference.uri}: expected weights with digest ${manifest.digests.weights}, found ${digest}; ` +
      'restore the objects or train the reward model again',
  );
}
