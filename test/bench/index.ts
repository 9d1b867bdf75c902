/**
 * `npm run bench`: speed of the nano model, speed and memory at the shape of SmolLM2-135M, and memory of the stack,
 * compared with targets and the peer. The figures are meaningful only on an idle machine; the load before the
 * measurement is printed with them.
 *
 *     npm run bench -- [--python PATH] [--no-peer] [--no-smollm2] [--json FILE]
 *
 * Without --python, the peer is installed into a virtual environment in the temporary folder: PyTorch from the
 * package index, which may be gigabytes.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { tableText } from '../../cli/output/output.ts';
import { parseModelConfig } from '../../engine/model/model-config.ts';
import { PROJECT_ROOT } from '../../infra/paths.ts';
import { DECODED, decodeFigures } from './decode.ts';
import { PEER, type PeerFigures, peerFigures } from './peer.ts';
import { SMOLLM2, SMOLLM2_SHAPE, type TrainerFigures, trainerFigures } from './smollm2.ts';
import { type StackFigure, stackFigure } from './stack.ts';
import { trainFigures } from './train.ts';

const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    'no-peer': { type: 'boolean', default: false },
    'no-smollm2': { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});
const threads = availableParallelism();
const machine = `${cpus()[0]?.model.trim()}, ${threads} cores, Node ${process.version}`;
const date = new Date().toISOString().slice(0, 10);

/** One figure; `ours` and `peer` in `unit`. */
interface Row {
  /** in the file of `--json` */
  name: string;
  text: string;
  ours: number;
  unit: 'tokens/s' | 's' | 'GB';
  /** of this unit */
  peer?: number | undefined;
  target?: { least: number } | { most: number };
}

const nano = parseModelConfig(
  JSON.parse(readFileSync(join(PROJECT_ROOT, 'models/nano-base/config.json'), 'utf8')),
);

function nanoRows(): Row[] {
  const decode = decodeFigures(nano, threads);
  const train = trainFigures(nano, threads);
  const question = { threads, config: nano, decode: DECODED, train: train.map(({ lengths }) => lengths) };
  const peer = peerOf(question);
  const names = ['', '-ragged'];
  return [
    ...decode.map(
      ({ name, tokensPerSecond }, i): Row => ({
        name: `decode${names[i]}`,
        text: `decoding, batch 128: ${name}`,
        ours: tokensPerSecond,
        unit: 'tokens/s',
        ...(i === 0 ? { peer: peer?.decode, target: { least: 15_000 } } : {}),
      }),
    ),
    ...train.map(
      ({ name, best }, i): Row => ({
        name: `train-step${names[i]}`,
        text: `train step by GRPO: ${name}`,
        ours: best,
        unit: 'tokens/s',
        peer: peer?.train[i],
        ...(i === 0 ? { target: { least: 12_000 } } : {}),
      }),
    ),
  ];
}

/** Seconds, since they are what a user waits for. */
function smollm2Rows(): Row[] {
  const { sequences, prompt, completion } = SMOLLM2_SHAPE;
  const ours = trainerFigures(threads);
  const lengths = Array.from({ length: sequences }, (): [number, number] => [prompt, completion]);
  const config = parseModelConfig(SMOLLM2);
  const peer = peerOf({ threads, config, decode: SMOLLM2_SHAPE, train: [lengths] });
  const sampled = sequences * completion;
  const trained = sequences * (prompt + completion - 1);
  const shape = `${sequences} × ${completion} tokens on ${prompt}`;
  return [
    {
      name: 'smollm2-sampling',
      text: `SmolLM2-135M, sampling: ${shape}`,
      ours: ours.samplingSeconds,
      unit: 's',
      peer: peer === null ? undefined : sampled / peer.decode,
    },
    {
      name: 'smollm2-step',
      text: `SmolLM2-135M, train step by GRPO: ${shape}`,
      ours: ours.stepSeconds,
      unit: 's',
      peer: peer?.train[0] === undefined ? undefined : trained / peer.train[0],
    },
    ...memoryRows(ours),
  ];
}

const memoryRows = ({ peakBytes, peakWithCheckpointBytes }: TrainerFigures): Row[] => [
  {
    name: 'smollm2-memory',
    text: 'SmolLM2-135M, peak memory of a trainer with a reference',
    ours: peakBytes / 1e9,
    unit: 'GB',
    target: { most: 4.5 },
  },
  {
    name: 'smollm2-memory-checkpoint',
    text: 'SmolLM2-135M, the same with a checkpoint under way',
    ours: peakWithCheckpointBytes / 1e9,
    unit: 'GB',
    target: { most: 6.5 },
  },
];

const stackRows = ({ medianOther, largestMemory }: StackFigure): Row[] => [
  {
    name: 'orchestration',
    text: 'a step outside sampling, scoring, training (median)',
    ours: medianOther,
    unit: 's',
    target: { most: 0.3 },
  },
  {
    name: 'stack-memory',
    text: 'memory of the whole stack during a run',
    ours: largestMemory / 1e9,
    unit: 'GB',
    target: { most: 3 },
  },
];

function peerOf(question: Parameters<typeof peerFigures>[0]): PeerFigures | null {
  return values['no-peer'] ? null : peerFigures(question, values.python);
}

/** How often ours is as fast as the peer, or as small. */
const ratioOf = ({ ours, peer, unit }: Row) =>
  peer === undefined ? null : unit === 'tokens/s' ? ours / peer : peer / ours;

const FORMATS: Record<Row['unit'], (value: number) => string> = {
  'tokens/s': (value) => `${(value / 1000).toFixed(1)}k tokens/s`,
  s: (value) => (value < 1 ? `${Math.round(value * 1000)} ms` : `${value.toFixed(1)} s`),
  GB: (value) => `${value.toFixed(2)} GB`,
};

function cells(row: Row): string[] {
  const { text, ours, unit, peer, target } = row;
  const format = FORMATS[unit];
  const ratio = ratioOf(row);
  const beside = peer === undefined || ratio === null ? ['', ''] : [format(peer), `${ratio.toFixed(2)} ×`];
  return [text, format(ours), ...targetCells(ours, unit, target), ...beside];
}

function targetCells(ours: number, unit: Row['unit'], target: Row['target']): string[] {
  if (target === undefined) return ['', ''];
  const isMet = 'least' in target ? ours >= target.least : ours <= target.most;
  const text =
    'least' in target ? `at least ${FORMATS[unit](target.least)}` : `at most ${FORMATS[unit](target.most)}`;
  return [text, isMet ? 'met' : 'MISSED'];
}

console.log(`${machine}, ${date}; load before: ${loadavg()[0]?.toFixed(2)}\n`);
const rows = [
  ...nanoRows(),
  ...(values['no-smollm2'] ? [] : smollm2Rows()),
  ...stackRows(await stackFigure()),
];
console.log(tableText(['', 'measured', 'target', '', 'peer', 'ratio'], rows.map(cells)));
if (!values['no-peer'])
  console.log(
    `\npeer: ${PEER}, same model, shapes and threads, measured in this run. Nano: best of several, for both; ` +
      'SmolLM2: our median, the peer’s best.',
  );
if (values.json !== undefined) {
  const figures = rows.map((row) => {
    const { name, ours, peer = null, unit } = row;
    return { name, ours, peer, ratio: ratioOf(row), unit };
  });
  writeFileSync(values.json, `${JSON.stringify({ machine, date, rows: figures }, null, 2)}\n`);
}
