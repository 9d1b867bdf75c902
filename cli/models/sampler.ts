/** Samples from a model for `r1 eval` and `r1 generate`: by the engine in this process, or by a trainer of the stack. */
import { Option } from 'commander';
import { split } from '../../activities/ragged.ts';
import type { ModelFolder } from '../../engine/weights/model-folder.ts';
import { interruptible } from '../interrupts.ts';
import { createLiveLine, tenthOf } from '../run/live-line.ts';
import type { Connections } from '../stack/connections.ts';
import { loadModel, type ModelToSample, PLACES, withEngine } from './open-model.ts';
import type { SampledShard, Sampler, SamplingWork } from './sampling-work.ts';
import { sampleOnTrainer } from './trainer-sampler.ts';

export const onOption = () =>
  new Option(
    '--on <where>',
    'sample in this process, or by a trainer of the stack, which waits until one is free (default: here where the embedded ' +
      'engine computes the model, else a trainer)',
  ).choices(PLACES);

/** Interval of progress updates, in milliseconds. */
const UPDATE_EVERY = 500;

/** Runs `work` with the model's sampler. Ctrl-C ends the work of a trainer, which is free then. */
export async function withSampler<Result>(
  { on, opened }: ModelToSample,
  connections: Pick<Connections, 'objects' | 'temporal'>,
  work: (sampler: Sampler) => Promise<Result>,
): Promise<Result> {
  if (on === 'here')
    return await withEngine((engine) => work((asked) => sampleHere(engine, opened.model, asked)));
  const trainer = sampleOnTrainer(opened, connections);
  return await interruptible(
    (signal) => work((asked) => trainer.sample(asked, signal)),
    async () => {
      await trainer.cancel();
      return 'Cancelled: the trainer is free again.';
    },
  );
}

type Engine = Parameters<Parameters<typeof withEngine>[0]>[0];

async function* sampleHere(
  engine: Engine,
  model: ModelFolder,
  { shards, withLogprobs, onProgress }: SamplingWork,
): AsyncGenerator<SampledShard> {
  await loadModel(engine, model);
  let before = 0;
  const ticking = setInterval(() => onProgress({ done: before + engine.progress().done }), UPDATE_EVERY);
  try {
    for (const { request, promptsP } of shards) {
      const { seeds, sampling, eosTokenIds, numGenerations } = request;
      const prompts = seeds.map((_, n) => promptsP[Math.floor(n / numGenerations)] ?? new Int32Array());
      const { completions, truncatedN } = await engine.call('sample', {
        prompts,
        seeds,
        sampling,
        eosTokenIds,
      });
      const { lengths: lengthsN } = completions;
      const completionsN = split(completions.flat, lengthsN);
      before += seeds.length;
      const logprobs = withLogprobs
        ? await engine.call('logprobs', { promptsN: prompts, completionsN }, 1, 'policy')
        : null;
      yield { completionsN, lengthsN, truncatedN, logprobsN: logprobs && split(logprobs, lengthsN) };
    }
  } finally {
    clearInterval(ticking);
  }
}

/** Shows progress on a line of its own. */
export function progressLine(what: string, completions: number) {
  const line = createLiveLine();
  return {
    onProgress({ done, waiting }: { done: number; waiting?: string }): void {
      const text = waiting ?? `${done}/${completions} answers`;
      line.show(`${what}  ${text}`, waiting ?? tenthOf(done, completions));
    },
    say: (text: string) => line.say(text),
    end: () => line.end(),
  };
}
