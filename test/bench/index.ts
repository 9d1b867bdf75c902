/**
 * `npm run bench`: speed and size of the nano model and of the stack that trains it, beside their targets.
 * The figures mean something on a quiet machine only; the load before the measurement is printed with them.
 */
import { availableParallelism, cpus, loadavg } from 'node:os';
import { tableText } from '../../cli/output.ts';
import { decodeFigures } from './decode.ts';
import { stackFigure } from './stack.ts';
import { trainFigure } from './train.ts';

const threads = availableParallelism();
const thousands = (rate: number) => `${(rate / 1000).toFixed(1)}k tokens/s`;
const verdict = (holds: boolean) => (holds ? 'met' : 'MISSED');

console.log(
  `${cpus()[0]?.model.trim()}, ${threads} cores, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}; ` +
    `load before: ${loadavg()[0]?.toFixed(2)}\n`,
);
const decode = decodeFigures(threads);
const train = trainFigure(threads);
const stack = await stackFigure();
const full = decode[0]?.tokensPerSecond ?? 0;
const rows = [
  ...decode.map(({ name, tokensPerSecond }, i) => [
    `decoding, batch 128: ${name}`,
    thousands(tokensPerSecond),
    i === 0 ? 'at least 15k tokens/s' : '',
    i === 0 ? verdict(full >= 15_000) : '',
  ]),
  [
    'train step, 64 × 128 tokens',
    `${thousands(train.best)} (median ${thousands(train.median)})`,
    'at least 12k tokens/s',
    verdict(train.best >= 12_000),
  ],
  [
    'a step outside sampling, scoring, training',
    `${Math.round(stack.medianOther * 1000)} ms (median)`,
    'at most 300 ms',
    verdict(stack.medianOther <= 0.3),
  ],
  [
    'memory of the whole stack with a run under way',
    `${(stack.largestMemory / 2 ** 30).toFixed(2)} GiB`,
    'less than 3 GB',
    verdict(stack.largestMemory < 3e9),
  ],
];
console.log(tableText(['', 'measured', 'target', ''], rows));
