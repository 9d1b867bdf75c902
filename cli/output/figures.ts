/** Formats numbers and texts for display. A missing number is a dash. */
import type { EvaluationDocument } from '../../contracts/documents.ts';

const NONE = '–';

export function percent(share: number | null, digits = 1): string {
  return share === null ? NONE : `${(100 * share).toFixed(digits)} %`;
}

/** `12.3–15.6 %` */
export function percentInterval(interval: readonly [number, number] | null): string {
  if (interval === null) return NONE;
  const [low, high] = interval;
  return `${(100 * low).toFixed(1)}–${(100 * high).toFixed(1)} %`;
}

export function decimal(value: number | null, digits = 3): string {
  return value === null ? NONE : value.toFixed(digits);
}

/** `9.8k`, `412`, `170G` */
export function count(value: number): string {
  return scaled(value, ['', 'k', 'M', 'G', 'T']);
}

/** At most three digits and a unit. */
function scaled(value: number, units: readonly string[]): string {
  let [rest, unit] = [value, 0];
  while (rest >= 999.5 && unit < units.length - 1) {
    rest /= 1_000;
    unit += 1;
  }
  return `${rest.toFixed(unit > 0 && rest < 9.95 ? 1 : 0)}${units[unit]}`;
}

/** `40 s`, `4 min`, `2 h 5 min` */
export function duration(seconds: number): string {
  if (seconds < 60) return `${Math.max(0, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A duration in aligned form: `0:07`, `1:36`, `2:05:10`. */
export function clock(seconds: number | null): string {
  if (seconds === null) return NONE;
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60];
  const parts = hours === 0 ? [minutes, whole % 60] : [hours, minutes, whole % 60];
  return parts.map((part, n) => (n === 0 ? String(part) : String(part).padStart(2, '0'))).join(':');
}

/** `2024-05-01 12:30:05`, in local time. */
export function dateTime(iso: string | null): string {
  if (iso === null) return NONE;
  const date = new Date(iso);
  const local = new Date(date.getTime() - 60_000 * date.getTimezoneOffset());
  return local.toISOString().slice(0, 19).replace('T', ' ');
}

/** The first digits of a digest, enough to recognise it. */
export function short(digest: string | null): string {
  return digest === null ? NONE : digest.slice(0, 12);
}

/** Bytes as `12.3 MB`. */
export function size(bytes: number): string {
  const units = ['kB', 'MB', 'GB', 'TB', 'PB'];
  const found = units.findIndex((_, index) => bytes < 1e6 * 1_000 ** index);
  const index = found === -1 ? units.length - 1 : found;
  return `${(bytes / 1_000 ** (index + 1)).toFixed(1)} ${units[index]}`;
}

/** Characters that could control a terminal, break a line or change the direction of text. */
const UNSAFE = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

const NAMED: Record<string, string> = { '\n': '⏎', '\t': ' ', '\r': '' };

/** The same, keeping line breaks. */
export function plainLines(text: string, length: number): string[] {
  const lines = text.slice(0, 2 * length).split(/\r?\n/);
  let left = length;
  const shown: string[] = [];
  for (const line of lines) {
    if (left <= 0) break;
    shown.push(plainText(line, left));
    left -= line.length + 1;
  }
  const isCut = shown.length < lines.length || text.length > 2 * length;
  return isCut && !shown.at(-1)?.endsWith('…') ? [...shown, '…'] : shown;
}

/** The first `length` characters of a model's text on one line, with unsafe characters made visible. */
export function plainText(text: string, length: number): string {
  const shown = [...text.slice(0, 2 * length)].slice(0, length).join('');
  const plain = shown.replace(
    UNSAFE,
    (character) => NAMED[character] ?? `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
  return shown.length < text.length ? `${plain}…` : plain;
}

/** The metrics of an evaluation, by the heads of their columns. */
export const METRICS = {
  'pass@1': ({ passAt1 }) => percent(passAt1),
  '95 %': ({ passAt1Interval }) => percentInterval(passAt1Interval),
  'pass@k': ({ passAtK }) => percent(passAtK),
  'cons@k': ({ consAtK }) => percent(consAtK),
  general: ({ generalAbility }) => percent(generalAbility),
  language: ({ languageConsistency }) => percent(languageConsistency),
  format: ({ formatRate }) => percent(formatRate),
  length: ({ meanLength }) => decimal(meanLength, 1),
  reflects: ({ reflectionRate }) => percent(reflectionRate),
} as const satisfies Record<string, (evaluation: EvaluationDocument) => string>;

export type Metric = keyof typeof METRICS;

/** The cells of a row; dashes where nothing was measured. */
export const metricsOf = (names: readonly Metric[], evaluation: EvaluationDocument | null): string[] =>
  names.map((name) => (evaluation === null ? NONE : METRICS[name](evaluation)));
