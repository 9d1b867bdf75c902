import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  callBegins,
  type LongestGaps,
  lookAt,
  type Progress,
  progressLimit,
} from '../../../algorithm/run/progress-limit.ts';

const SECOND = 1_000;

/** A call that is looked at every second by a fake clock. */
class Call {
  gaps: LongestGaps;
  now = 0;
  private call = callBegins(0);

  constructor(gaps: LongestGaps = {}) {
    this.gaps = gaps;
  }

  /** Looks for so many seconds; the second at which the call is lost, or null. */
  looks(seen: Progress | null, seconds: number, every = 1): number | null {
    for (let second = every; second <= seconds; second += every) {
      this.now += every * SECOND;
      const { lost, ...after } = lookAt(this.call, this.gaps, { now: this.now, seen });
      this.call = after.call;
      this.gaps = after.gaps;
      if (lost) return second;
    }
    return null;
  }
}

const at = (phase: string, done: number, tokens = 0): Progress => ({ phase, done, tokens });

test('before a gap of the phase is known, a call is lost after ten minutes', () => {
  const call = new Call();
  // The first look begins the count.
  assert.equal(call.looks(at('training', 0), 2_000), 601);
});

test('then after three times the longest gap, and a minute at least', () => {
  const call = new Call();
  call.looks(at('training', 0), 5);
  call.looks(at('training', 1), 1);
  assert.deepEqual(call.gaps, { training: 5 * SECOND });
  assert.equal(progressLimit('training', call.gaps), 60 * SECOND);
  assert.equal(call.looks(at('training', 1), 1_000), 60);
  const slow = new Call({ training: 40 * SECOND });
  assert.equal(slow.looks(at('training', 0), 1_000), 121);
});

test('tokens and another phase are progress, and each phase has its own gaps', () => {
  const call = new Call();
  for (let second = 0; second < 2_000; second += 1)
    assert.equal(call.looks(at('sampling', 0, second), 1), null);
  call.looks(at('checking', 0), 300);
  call.looks(at('writing', 0), 1);
  assert.equal(call.gaps.sampling, SECOND);
  assert.equal(call.gaps.checking, 300 * SECOND);
  assert.equal(progressLimit('writing', call.gaps), 600 * SECOND);
});

test('time in which a call waits does not count', () => {
  const call = new Call({ training: SECOND });
  assert.equal(call.looks(null, 10_000), null);
  assert.equal(call.looks(at('training', 0), 1_000), 61);
});

test('a process that did not run at all counts as seconds: a stopped machine deposes no trainer', () => {
  const call = new Call({ training: SECOND });
  call.looks(at('training', 0), 10);
  assert.equal(call.looks(at('training', 0), 3_600, 3_600), null);
  assert.equal(call.looks(at('training', 0), 1_000), 46);
});
