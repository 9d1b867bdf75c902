import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawsFrom } from '../../../algorithm/random/draws.ts';
import { firstCursor, passOrder, take } from '../../../algorithm/rl/prompt-cursor.ts';

const walk = { runSeed: 42n, stage: 'zero', size: 50 };

test('however a walk is cut into calls, it visits the same prompts in the same order', () => {
  const whole = take(firstCursor, 500, walk).indices;
  for (let seed = 0n; seed < 50n; seed++) {
    const draws = drawsFrom(seed);
    const visited: number[] = [];
    let cursor = firstCursor;
    while (visited.length < 500) {
      // A cursor crosses JSON in a checkpoint.
      const { indices, next } = take(JSON.parse(JSON.stringify(cursor)), draws.integer(0, 70), walk);
      visited.push(...indices);
      cursor = next;
    }
    assert.deepEqual(visited.slice(0, 500), whole);
  }
});

test('a pass visits every prompt once, and the next in another order', () => {
  const { indices, next } = take(firstCursor, 100, walk);
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
  assert.deepEqual(second, passOrder(walk, 1));
  assert.equal(next.pass * 50 + next.position, 100);
});

test('the order hangs on the run seed and the stage', () => {
  const order = passOrder(walk, 0);
  assert.notDeepEqual(passOrder({ ...walk, runSeed: 43n }, 0), order);
  assert.notDeepEqual(passOrder({ ...walk, stage: 'one' }, 0), order);
});

test('taking nothing leaves the cursor where it is', () => {
  assert.deepEqual(take({ pass: 3, position: 7 }, 0, walk), { indices: [], next: { pass: 3, position: 7 } });
});

test('an empty data set, a broken count and a cursor of another data set are refused', () => {
  assert.throws(() => take(firstCursor, 1, { ...walk, size: 0 }), /expected at least one/);
  assert.throws(() => take(firstCursor, -1, walk), /expected a count/);
  assert.throws(() => take({ pass: 0, position: 51 }, 1, walk), /is it the same data set/);
});
