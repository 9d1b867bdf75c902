/**
 * `npm run bench:rollout`: the paper's rollout (8,192 completions, mean 5,000 tokens, at most 65,536) passes through
 * draw, sample, score, log-probabilities and sixteen batches. Servers, orchestrator and rewards are the real ones; the
 * trainer is a stub that makes completions up. Starts servers of its own in a temporary folder, and removes them and
 * all data at the end. Exits with 1 where a claim does not hold.
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { measureRollout, type RolloutSize } from './rollout/measure.ts';
import { claimsOf, reportText } from './rollout/report.ts';

const OPTIONS = {
  prompts: { default: 512, about: 'prompts of the rollout, a multiple of the steps' },
  generations: { default: 16, about: 'completions of each prompt' },
  steps: { default: 16, about: 'batches that the rollout is cut into' },
  'shard-size': { default: 16, about: 'prompts of a shard' },
  'mean-tokens': { default: 5000, about: 'mean tokens of a completion' },
  'max-tokens': { default: 65_536, about: 'most tokens of a completion' },
} as const;
type Option = keyof typeof OPTIONS;

const { values } = parseArgs({
  options: {
    ...(Object.fromEntries(Object.keys(OPTIONS).map((name) => [name, { type: 'string' }])) as Record<
      Option,
      { type: 'string' }
    >),
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(helpText());
else await bench();

function helpText(): string {
  const options = Object.entries(OPTIONS).map(
    ([name, { default: value, about }]) => `  --${name.padEnd(14)} ${about} (${value})`,
  );
  return [
    'npm run bench:rollout -- [options]',
    '',
    ...options,
    `  --${'json FILE'.padEnd(14)} write the figures as JSON`,
  ].join('\n');
}

function sizeOf(): RolloutSize {
  const number = (name: Option) => {
    const value = Number(values[name] ?? OPTIONS[name].default);
    if (Number.isInteger(value) && value >= 1) return value;
    throw new Error(`--${name}: expected a whole number from 1, found ${values[name]}`);
  };
  const size = {
    prompts: number('prompts'),
    generations: number('generations'),
    steps: number('steps'),
    shardSize: number('shard-size'),
    meanTokens: number('mean-tokens'),
    maxTokens: number('max-tokens'),
  };
  if (size.prompts % size.steps !== 0)
    throw new Error(`--prompts: expected a multiple of --steps (${size.steps}), found ${size.prompts}`);
  if (size.meanTokens > size.maxTokens / 2)
    throw new Error(`--mean-tokens: expected at most half of --max-tokens, found ${size.meanTokens}`);
  return size;
}

async function bench(): Promise<void> {
  const size = sizeOf();
  const figures = await measureRollout(size, (line) =>
    console.error(`${new Date().toISOString().slice(11, 19)}  ${line}`),
  );
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(figures, null, 2)}\n`);
  console.log(
    `${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}\n`,
  );
  console.log(reportText(figures));
  if (!claimsOf(figures).every(({ holds }) => holds)) process.exitCode = 1;
}
