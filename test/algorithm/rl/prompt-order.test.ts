import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawsFrom } from '../../../algorithm/random/draws.ts';
import { epochOrder, firstCursor, take } from '../../../algorithm/rl/prompt-order.ts';

const order = { runSeed: 42n, stage: 'zero', size: 50 };

test('the prompts and their order do not depend on how many each call takes', () => {
  const whole = take(firstCursor, 500, order).indices;
  for (let seed = 0n; seed < 50n; seed++) {
    const draws = drawsFrom(seed);
    const visited: number[] = [];
    let cursor = firstCursor;
    while (visited.length < 500) {
      // A checkpoint stores the cursor as JSON.
      const { indices, next } = take(JSON.parse(JSON.stringify(cursor)), draws.integer(0, 70), order);
      visited.push(...indices);
      cursor = next;
    }
    assert.deepEqual(visited.slice(0, 500), whole);
  }
});

test('an epoch visits every prompt once, and the next in another order', () => {
  const { indices, next } = take(firstCursor, 100, order);
  const everyone = Array.from({ length: 50 }, (_, index) => index);
  const [first, second] = [indices.slice(0, 50), indices.slice(50)];
  assert.deepEqual(
    first.toSorted((a, b) => a - b),
    everyone,
  );
  assert.deepEqual(
    second.toSorted((a, b) => a - b),
    everyone,
  );
  assert.notDeepEqual(first, second);
  assert.deepEqual(second, epochOrder(order, 1));
  assert.equal(next.pass * 50 + next.position, 100);
});

test('the order depends on the run seed and the stage', () => {
  const first = epochOrder(order, 0);
  assert.notDeepEqual(epochOrder({ ...order, runSeed: 43n }, 0), first);
  assert.notDeepEqual(epochOrder({ ...order, stage: 'one' }, 0), first);
});

test('taking nothing leaves the cursor where it is', () => {
  assert.deepEqual(take({ pass: 3, position: 7 }, 0, order), { indices: [], next: { pass: 3, position: 7 } });
});

test('an empty data set, a broken count and a cursor of another data set are refused', () => {
  assert.throws(() => take(firstCursor, 1, { ...order, size: 0 }), /expected at least one/);
  assert.throws(() => take(firstCursor, -1, order), /expected a count/);
  assert.throws(() => take({ pass: 0, position: 51 }, 1, order), /is it the same data set/);
});
