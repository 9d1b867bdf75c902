/** What the benchmark of a rollout claims, and how its figures are shown. */
import { size as bytesText } from '../../../cli/output/figures.ts';
import { tableText } from '../../../cli/output/output.ts';
import { mebibytes, type Phase, type RolloutFigures } from './measure.ts';
import type { MemoryPeaks } from './memory.ts';
import { PROCESSES, type ProcessName } from './processes.ts';

export interface Claim {
  what: string;
  found: string;
  expected: string;
  holds: boolean;
}

const count = (value: number) => Math.round(value).toLocaleString('en');

const GB = 1e9;
const MOST_MEMORY: Record<ProcessName, number> = { orchestrator: GB, rewards: GB, trainer: 2 * GB };
const ALLOWED_GROWTH = 1.1;
/** Bytes that all batches together may read, of the rollout's */
const MOST_READ = 2;

const NAMES: Record<ProcessName, string> = {
  orchestrator: 'orchestrator',
  rewards: 'rewards',
  trainer: 'stub trainer',
};

const PHASE_NAMES: Record<Phase, string> = {
  draw: 'draw',
  sample: 'sample (stub)',
  score: 'score, beside sampling',
  logprobs: 'log-probabilities (stub)',
  batch: 'batches: make and log',
  train: 'batches: train (stub)',
  record: 'batches: record',
};

export function claimsOf(figures: RolloutFigures): Claim[] {
  return [...memoryClaims(figures), ...trafficClaims(figures)];
}

/** Peaks, and growth within the two parts of the run, each without its first shard or batch. */
function memoryClaims({ memory }: RolloutFigures): Claim[] {
  return PROCESSES.flatMap((name) => {
    const { peak } = memory.whole[name];
    return [
      {
        what: `${NAMES[name]}: peak`,
        found: mebibytes(peak),
        expected: `less than ${mebibytes(MOST_MEMORY[name])}`,
        holds: peak > 0 && peak < MOST_MEMORY[name],
      },
      growthClaim(`${NAMES[name]}: second half of the shards`, memory.shards[name]),
      growthClaim(`${NAMES[name]}: second half of the batches`, memory.batches[name]),
    ];
  });
}

const growthClaim = (what: string, { firstHalf, secondHalf }: MemoryPeaks): Claim => ({
  what,
  found: mebibytes(secondHalf),
  expected: `at most ${mebibytes(ALLOWED_GROWTH * firstHalf)} (first half ${mebibytes(firstHalf)})`,
  holds: firstHalf > 0 && secondHalf > 0 && secondHalf <= ALLOWED_GROWTH * firstHalf,
});

/** Claims that hold at every size. */
export const trafficClaims = (figures: RolloutFigures): Claim[] => [
  readClaim(figures),
  restartClaim(figures),
];

const readClaim = ({ batchReads, rolloutBytes }: RolloutFigures): Claim => ({
  what: 'read by index and batches together',
  found: `${bytesText(batchReads)} (${(batchReads / rolloutBytes).toFixed(2)} × the rollout)`,
  expected: `at most ${MOST_READ} × the rollout, ${bytesText(rolloutBytes)}`,
  holds: batchReads > 0 && batchReads <= MOST_READ * rolloutBytes,
});

const restartClaim = ({ restarts }: RolloutFigures): Claim => ({
  what: 'restarts of processes',
  found: String(restarts),
  expected: 'none',
  holds: restarts === 0,
});

export function reportText(figures: RolloutFigures): string {
  const { size, completions, tokens, accuracy, seconds, phases, rows, events, historyBytes } = figures;
  const shards = Math.ceil(size.prompts / size.shardSize);
  const lines = [
    `${count(completions)} completions of ${size.prompts} prompts in ${shards} shards, ${count(tokens)} tokens ` +
      `(mean ${count(tokens / completions)}, at most ${count(size.maxTokens)}), ${(100 * accuracy).toFixed(1)} % right`,
    '',
    tableText(
      ['', '', 'claim', ''],
      claimsOf(figures).map(({ what, found, expected, holds }) => [
        what,
        found,
        expected,
        holds ? 'met' : 'MISSED',
      ]),
    ),
    '',
    tableText(
      ['seconds of calls', ''],
      [
        ...Object.entries(phases).map(([phase, value]) => [PHASE_NAMES[phase as Phase], value.toFixed(1)]),
        ['from the first draw to the last step', seconds.toFixed(1)],
      ],
    ),
    '',
    tableText(['objects of a kind', 'written', 'objects', 'read', 'requests'], trafficRows(figures)),
    '',
    `halves of the whole time, which hold other parts of the work: ${PROCESSES.map((name) => {
      const { firstHalf, secondHalf } = figures.memory.whole[name];
      return `${NAMES[name]} ${mebibytes(firstHalf)}, then ${mebibytes(secondHalf)}`;
    }).join('; ')}`,
    `rows in Postgres: ${Object.entries(rows)
      .map(([table, number]) => `${table} ${count(number)}`)
      .join(', ')}`,
    `history of the stage: ${count(events)} events, ${bytesText(historyBytes)}`,
  ];
  return lines.join('\n');
}

/** Traffic of all processes together, by kind. */
function trafficRows({ traffic }: RolloutFigures): string[][] {
  const kinds = new Set(PROCESSES.flatMap((name) => Object.keys(traffic[name])));
  return [...kinds].sort().map((kind) => {
    const sum = (of: 'read' | 'reads' | 'written' | 'writes') =>
      PROCESSES.reduce((total, name) => total + (traffic[name][kind]?.[of] ?? 0), 0);
    return [
      kind,
      bytesText(sum('written')),
      count(sum('writes')),
      bytesText(sum('read')),
      count(sum('reads')),
    ];
  });
}
