/** SVG charts by Observable Plot; their colours are CSS variables of the page. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { percent } from '../output/figures.ts';
import type { Curve } from './curves.ts';
import { type Html, trusted } from './html.ts';
import type { Policy } from './policies.ts';

const { document } = parseHTML('<!doctype html><html></html>');

/** Line colours in order; `--ink-1` … are set in `style.ts`. */
export const INKS = [
  'var(--ink-1)',
  'var(--ink-2)',
  'var(--ink-3)',
  'var(--ink-4)',
  'var(--ink-5)',
  'var(--ink-6)',
];

interface Drawing {
  label: string;
  plot: Plot.PlotOptions;
}

function drawn({ label, plot }: Drawing): Html {
  const svg: { outerHTML: string } = Plot.plot({ document, ariaLabel: label, className: 'plot', ...plot });
  return trusted(svg.outerHTML);
}

/** `0.25`; below a thousandth as `1.2e-5`. */
function tickText(value: number): string {
  const rounded = Number(value.toPrecision(4));
  return rounded !== 0 && Math.abs(rounded) < 1e-3 ? rounded.toExponential() : String(rounded);
}

/** A chart by step: training as lines, held-out measurements as dots, alarms as vertical lines. */
export function curveChart({ title, unit, lines, dots, alarms }: Curve): Html {
  const points = lines.flatMap(({ name, points }) => points.map((point) => ({ ...point, name })));
  const intervals = dots.flatMap(({ step, interval }) =>
    interval === undefined ? [] : [{ step, low: interval[0], high: interval[1] }],
  );
  return drawn({
    label: `${title} by step`,
    plot: {
      width: 272,
      height: 168,
      marginLeft: 46,
      marginRight: 10,
      marginTop: 10,
      marginBottom: 22,
      x: { label: null, ticks: 4, tickFormat: 'd', nice: true, tickSize: 3 },
      y: {
        label: null,
        ticks: 4,
        grid: true,
        nice: true,
        zero: unit === 'share',
        tickFormat: unit === 'share' ? '.0%' : tickText,
        tickSize: 0,
      },
      color: { domain: lines.map(({ name }) => name), range: INKS },
      marks: [
        Plot.ruleX(alarms, { stroke: 'var(--bad)', strokeDasharray: '3,3' }),
        Plot.ruleX(intervals, { x: 'step', y1: 'low', y2: 'high', stroke: 'var(--dot)', strokeOpacity: 0.6 }),
        Plot.line(points, { x: 'step', y: 'value', stroke: 'name', strokeWidth: 1.6 }),
        Plot.line(dots, {
          x: 'step',
          y: 'value',
          stroke: 'var(--dot)',
          strokeOpacity: 0.4,
          strokeDasharray: '2,3',
        }),
        Plot.dot(points.length > 1 ? [] : points, { x: 'step', y: 'value', fill: 'name' }),
        Plot.dot(dots, {
          x: 'step',
          y: 'value',
          r: 3.2,
          stroke: 'var(--dot)',
          fill: ({ quick }: { quick: boolean }) => (quick ? 'var(--paper)' : 'var(--dot)'),
        }),
      ],
    },
  });
}

interface Mark {
  title: string;
  value: number;
  /** whether it leads from base to R1 */
  toR1: boolean;
}

/** pass@1 of the policies with intervals, their general ability and, optionally, the paper's numbers. */
export function policiesChart(policies: readonly Policy[], { withPaper }: { withPaper: boolean }): Html {
  const marksOf = (of: (policy: Policy) => number | null): Mark[] =>
    policies.flatMap((policy) => {
      const value = of(policy);
      return value === null ? [] : [{ title: policy.title, value, toR1: policy.toR1 }];
    });
  const measured = marksOf(({ evaluation }) => evaluation?.passAt1 ?? null);
  const general = marksOf(({ evaluation }) => evaluation?.generalAbility ?? null);
  const paper = withPaper ? marksOf(({ paper }) => paper && paper.aime / 100) : [];
  const intervals = policies.flatMap(({ title, evaluation }) =>
    evaluation === null
      ? []
      : [{ title, low: evaluation.passAt1Interval[0], high: evaluation.passAt1Interval[1] }],
  );
  const at = { x: 'title', y: 'value' };
  const leading = (marks: readonly Mark[]) => marks.filter(({ toR1 }) => toR1);
  return drawn({
    label: withPaper ? 'pass@1 by policy, this run’s and the paper’s' : 'pass@1 by policy',
    plot: {
      width: 1120,
      height: 300,
      marginTop: 26,
      marginBottom: 38,
      marginLeft: 46,
      x: {
        type: 'point',
        label: null,
        domain: policies.map(({ title }) => title),
        padding: 0.4,
        tickSize: 0,
        tickFormat: (title: string) => title.replace(' ', '\n'),
      },
      y: { label: null, domain: [0, 1], grid: true, tickFormat: '.0%', ticks: 5, tickSize: 0 },
      marks: [
        Plot.line(leading(paper), { ...at, stroke: 'var(--muted)', strokeDasharray: '2,4', dx: OFFSET }),
        Plot.line(leading(measured), { ...at, stroke: 'var(--ink-1)', strokeOpacity: 0.35, strokeWidth: 2 }),
        Plot.dot(paper, { ...at, r: 5, stroke: 'var(--muted)', fill: 'var(--paper)', dx: OFFSET }),
        Plot.dot(general, { ...at, r: 4.5, stroke: 'var(--ink-3)', symbol: 'square', dx: -OFFSET }),
        Plot.ruleX(intervals, { x: 'title', y1: 'low', y2: 'high', stroke: 'var(--ink-1)', strokeWidth: 2 }),
        Plot.dot(measured, { ...at, r: 5, fill: 'var(--ink-1)' }),
        Plot.text(measured, {
          ...at,
          text: ({ value }: Mark) => percent(value),
          dy: -14,
          fontWeight: 600,
          fill: 'currentColor',
          stroke: 'var(--paper)',
          strokeWidth: 4,
        }),
      ],
    },
  });
}

/** Horizontal distance between the marks of a policy, in pixels. */
const OFFSET = 24;

export interface Bar {
  name: string;
  value: number;
  kind: 'left' | 'refused' | 'joined';
}

/** Horizontal bars with their counts. */
export function barChart(label: string, bars: readonly Bar[]): Html {
  const inks = { left: 'var(--ink-1)', refused: 'var(--muted)', joined: 'var(--ink-3)' };
  return drawn({
    label,
    plot: {
      width: 556,
      height: 24 * bars.length + 16,
      marginLeft: 160,
      marginRight: 60,
      marginTop: 4,
      marginBottom: 8,
      x: { axis: null },
      y: { label: null, domain: bars.map(({ name }) => name), padding: 0.25, tickSize: 0 },
      marks: [
        Plot.barX(bars, { x: 'value', y: 'name', fill: ({ kind }: Bar) => inks[kind] }),
        Plot.text(bars, {
          x: 'value',
          y: 'name',
          text: ({ value }: Bar) => String(value),
          dx: 6,
          textAnchor: 'start',
        }),
      ],
    },
  });
}
