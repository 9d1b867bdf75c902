/** Runs of what parsers of model text look for, 200,000 characters each, that make a quadratic step show. */
import assert from 'node:assert/strict';

const LENGTH = 200_000;

const RUNS = [
  ...[
    '`',
    '~',
    '>',
    '<',
    '*',
    '_',
    '{',
    '[',
    '(',
    '"',
    "'",
    '\\',
    '.',
    ':',
    '-',
    '0',
    '9',
    ' ',
    '\t',
    '\n',
    '\r\n',
  ],
  ...[
    '> ',
    '- ',
    '1. ',
    '1e',
    '0.',
    '[1,',
    '**',
    '\\"',
    "\\'",
    '\\n',
    '\\boxed{',
    '<a>',
    '9007199254740993,',
  ],
  ...['<answer>', '</answer>', '<think>', '</think>', '```', '``` ', '```x', '```py```', '`\n', '~~~\n'],
  ...['```\n', '```x\n', '```python\n', '``` python\n', 'c++', '3.', '"""', 'nan ', '0.5 '],
];

/** Each run by itself, then behind and between the other texts. */
export function hostileTexts(around: readonly (readonly [before: string, after: string])[] = []): string[] {
  const long = RUNS.map((run) => run.repeat(Math.ceil(LENGTH / run.length)));
  return [['', ''] as const, ...around].flatMap(([before, after]) => long.map((run) => before + run + after));
}

/**
 * Holds that `work` costs no text more than in proportion to its length. Counted is processor time, so that a busy
 * machine changes little: a linear step takes milliseconds, a quadratic one minutes.
 */
export function assertLinear(texts: readonly string[], work: (text: string) => void): void {
  for (const text of texts) {
    const before = process.cpuUsage();
    work(text);
    const seconds = process.cpuUsage(before).user / 1e6;
    assert.ok(
      seconds < 10,
      `${seconds} s for ${JSON.stringify(text.slice(0, 40))}… of ${text.length} characters`,
    );
  }
}
