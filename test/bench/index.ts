/**
 * `npm run bench`: speed of the nano model and memory of the stack that trains it, compared with targets and the peer.
 * The figures are meaningful only on an idle machine; the load before the measurement is printed with them.
 *
 *     npm run bench -- [--python PATH] [--no-peer]
 *
 * Without --python, the peer is installed into a virtual environment in the temporary folder: PyTorch from the
 * package index, which may be gigabytes.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { tableText } from '../../cli/output/output.ts';
import { parseModelConfig } from '../../engine/model/model-config.ts';
import { PROJECT_ROOT } from '../../infra/paths.ts';
import { DECODED, decodeFigures } from './decode.ts';
import { PEER, peerFigures } from './peer.ts';
import { stackFigure } from './stack.ts';
import { trainFigures } from './train.ts';

const { values } = parseArgs({
  options: { python: { type: 'string' }, 'no-peer': { type: 'boolean', default: false } },
});
const threads = availableParallelism();
const thousands = (rate: number) => `${(rate / 1000).toFixed(1)}k tokens/s`;
const verdict = (holds: boolean) => (holds ? 'met' : 'MISSED');

console.log(
  `${cpus()[0]?.model.trim()}, ${threads} cores, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}; ` +
    `load before: ${loadavg()[0]?.toFixed(2)}\n`,
);
const config = parseModelConfig(
  JSON.parse(readFileSync(join(PROJECT_ROOT, 'models/nano-base/config.json'), 'utf8')),
);
const decode = decodeFigures(config, threads);
const train = trainFigures(config, threads);
const question = { threads, config, decode: DECODED, train: train.map(({ lengths }) => lengths) };
const peer = values['no-peer'] ? null : peerFigures(question, values.python);
const stack = await stackFigure();
const full = decode[0]?.tokensPerSecond ?? 0;

/** The peer's figure, and our speed relative to it. */
const beside = (ours: number, theirs: number | undefined) =>
  theirs === undefined ? ['', ''] : [thousands(theirs), `${(ours / theirs).toFixed(2)} ×`];

const rows = [
  ...decode.map(({ name, tokensPerSecond }, i) => [
    `decoding, batch 128: ${name}`,
    thousands(tokensPerSecond),
    ...(i === 0 ? ['at least 15k tokens/s', verdict(full >= 15_000)] : ['', '']),
    ...(i === 0 ? beside(full, peer?.decode) : ['', '']),
  ]),
  ...train.map(({ name, best, median }, i) => [
    `train step by GRPO: ${name}`,
    `${thousands(best)} (median ${thousands(median)})`,
    ...(i === 0 ? ['at least 12k tokens/s', verdict(best >= 12_000)] : ['', '']),
    ...beside(best, peer?.train[i]),
  ]),
  [
    'a step outside sampling, scoring, training',
    `${Math.round(stack.medianOther * 1000)} ms (median)`,
    ...['at most 300 ms', verdict(stack.medianOther <= 0.3), '', ''],
  ],
  [
    'memory of the whole stack during a run',
    `${(stack.largestMemory / 2 ** 30).toFixed(2)} GiB`,
    ...['less than 3 GB', verdict(stack.largestMemory < 3e9), '', ''],
  ],
];
console.log(tableText(['', 'measured', 'target', '', 'peer', 'ratio'], rows));
console.log(
  `\npeer: ${PEER}, same model, shapes and threads, measured in this run; best of several, like ours`,
);
