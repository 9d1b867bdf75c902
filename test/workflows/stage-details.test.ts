import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alarmsText, changesText, phaseText, stageDetails } from '../../workflows/stage-details.ts';

const shown = (problem: string, text: string) =>
  stageDetails({ recent: [], samples: [{ problem, text, score: 'accuracy 0 · format 1' }] }, 8);

test('a sample is shown as it is, tags and fences too', () => {
  const details = shown('What is <think>2</think> in $x$?', '<think>a</think>\n~~~~\n<answer>2</answer>');
  assert.match(details, /^\*\*` What is <think>2<\/think> in \$x\$\? `\*\* · accuracy 0/m);
  assert.match(details, /^~{5}\n<think>a<\/think>\n~~~~\n<answer>2<\/answer>\n~{5}$/m);
});

test('a problem with backticks stays within its span, on one line', () => {
  assert.match(shown('run `ls`\n``x``', ''), /^\*\*``` run `ls` ``x`` ```\*\* /m);
});

test('prose keeps its tags and has no meaning in Markdown', () => {
  const progress = {
    key: { run: 'r', stage: 'zero' },
    step: 1,
    steps: 8,
    phase: 'parked',
    detail: 'expected <think>, found *none*\nin $a_b$',
    since: '2024-05-01T12:00:00.000Z',
    wish: { kind: 'pause', author: '<b>ada</b>' } as const,
  };
  assert.equal(
    phaseText(progress),
    '**parked**: expected \\<think\\>, found \\*none\\* in \\$a\\_b\\$\n\nRequested by \\<b\\>ada\\</b\\>: pause after the current step.',
  );
  const alarm = { stage: 'zero', branch: 0, step: 3, value: 1, threshold: 0.9, action: 'note' } as const;
  assert.match(
    alarmsText([{ ...alarm, name: 'empty-thinking', text: 'nothing in <think></think>' }]),
    /- step 3: \*\*empty-thinking\*\* \(note\), nothing in \\<think\\>\\<\/think\\>$/,
  );
  const change = { effectiveStep: 2, field: 'beta', value: 0.1, author: 'a|b' } as const;
  assert.match(changesText([change]), /by a\\\|b$/);
});
