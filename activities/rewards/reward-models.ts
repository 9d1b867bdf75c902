import { Failure } from '../../contracts/failures.ts';
import type { Numerics } from '../../contracts/numerics.ts';
import type { TextPlan } from '../../contracts/plan.ts';
import type { Reference } from '../../contracts/reference.ts';
import type { LoadedScorer } from '../../engine/service/service-arrays.ts';
import type { EngineThread } from '../../engine/service/thread.ts';
import type { Tokenizer } from '../../engine/tokenizer/tokenizer.ts';
import type { FileCache } from '../../stores/objects/file-cache.ts';
import type { ObjectStore } from '../../stores/objects/objects.ts';
import {
  checkpointObjects,
  readJsonFile,
  readManifest,
  tokenizerOf,
} from '../checkpoints/checkpoint-files.ts';
import { createMutex } from '../trainer/held-policy.ts';

/** A stage's rewards use two models in turn: helpfulness and safety. */
const MOST_KEPT = 2;

interface ModelScores {
  /** r of each sequence; null for a sequence that is too long for the model */
  scoresN: (number | null)[];
  numerics: Numerics;
  /** without the wait for other calls */
  seconds: number;
}

/** The trained reward models of one process. */
export interface RewardModels {
  tokenizer(manifest: Reference, plan: TextPlan): Promise<Tokenizer>;
  score(manifest: Reference, sequencesN: readonly Int32Array[]): Promise<ModelScores>;
  close(): Promise<void>;
}

export interface RewardModelsOptions {
  objects: ObjectStore;
  /** local files of the models that are loaded */
  cache: FileCache;
  /** starts the engine; called when the first model is needed */
  openEngine: () => EngineThread;
}

/** Models are loaded on first use. The two last used stay loaded, by their manifest's digest. */
export function createRewardModels({ objects, cache, openEngine }: RewardModelsOptions): RewardModels {
  const exclusive = createMutex();
  /** manifest's digest → the loaded model, the last used last */
  const kept = new Map<string, LoadedModel>();
  let engine: EngineThread | null = null;
  const start = (): EngineThread => {
    const started = openEngine();
    // The next call starts another.
    void started.ended.then(() => {
      if (engine !== started) return;
      engine = null;
      kept.clear();
    });
    return started;
  };
  const opened = async (manifest: Reference): Promise<LoadedModel & { engine: EngineThread }> => {
    engine ??= start();
    const running = engine;
    const name = manifest.sha256;
    const loaded = kept.get(name) ?? (await load({ objects, cache }, running, manifest));
    kept.delete(name);
    kept.set(name, loaded);
    for (const oldest of [...kept.keys()].slice(0, -MOST_KEPT)) {
      kept.delete(oldest);
      await running.call('dropScorer', oldest);
    }
    return { engine: running, ...loaded };
  };
  return {
    tokenizer: (manifest, plan) => tokenizerOf(objects, manifest, plan),
    score: (manifest, sequencesN) =>
      exclusive(async () => {
        const begin = performance.now();
        const { longest, numerics, ...model } = await opened(manifest);
        const fitting = sequencesN.filter(({ length }) => length <= longest);
        const scores = await model.engine.call('score', { name: manifest.sha256, sequencesN: fitting });
        const next = scores.values();
        const scoresN = sequencesN.map(({ length }) =>
          length <= longest ? (next.next().value ?? null) : null,
        );
        return { scoresN, numerics, seconds: (performance.now() - begin) / 1000 };
      }),
    close: async () => {
      const running = engine;
      engine = null;
      await running?.close();
      kept.clear();
    },
  };
}

type LoadedModel = Pick<LoadedScorer, 'longest' | 'numerics'>;

/** Loads a checkpoint for scoring. Throws Failure 'CorruptObject'. */
async function load(
  { objects, cache }: Pick<RewardModelsOptions, 'objects' | 'cache'>,
  engine: EngineThread,
  reference: Reference,
): Promise<LoadedModel> {
  const manifest = await readManifest(objects, reference);
  const { weights } = await checkpointObjects(objects, manifest, reference.uri);
  const config = await readJsonFile(objects, manifest, 'config.json');
  for (const [index, [, file]] of weights.entries())
    await cache.use(objects, file, (path) =>
      engine.call('readWeights', { config, file: path, first: index === 0 }),
    );
  const name = reference.sha256;
  const { digest, longest, numerics } = await engine.call('loadScorer', { name, config, model: null });
  if (digest === manifest.digests.weights) return { longest, numerics };
  await engine.call('dropScorer', name);
  throw new Failure(
    'CorruptObject',
    `${reference.uri}: expected weights with digest ${manifest.digests.weights}, found ${digest}; ` +
      'restore the objects or train the reward model again',
  );
}
