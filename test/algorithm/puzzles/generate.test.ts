import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encipher } from '../../../algorithm/puzzles/ciphers.ts';
import { type Difficulty, generatePuzzles } from '../../../algorithm/puzzles/generate.ts';
import { puzzleGenerators } from '../../../algorithm/puzzles/index.ts';
import { easiestSolution } from '../../../algorithm/puzzles/puzzle24.ts';
import { solveStatements } from '../../../algorithm/puzzles/truth-tellers.ts';
import { solveHouses } from '../../../algorithm/puzzles/zebra-clues.ts';

const DIFFICULTIES: Difficulty[] = [1, 2, 3, 4, 5];
/** How many puzzles there are at least at each difficulty, in each split. */
const SIZES = { train: 10, test: 2 };

const generators = Object.entries(puzzleGenerators);

/** What makes two puzzles the same: the ground truth without order and names. */
function contentOf({ problem, answer }: { problem: string; answer: string }): string {
  const truth = JSON.parse(answer);
  if (truth.clearText) return truth.clearText;
  if (truth.clues) return JSON.stringify(truth);
  if (truth.output) return problem;
  if (truth.statements) return JSON.stringify(truth.statements);
  return `${[...truth.numbers].sort()} ${truth.target ?? 24}`;
}

for (const [domain, generator] of generators) {
  test(`${domain}: a seed makes the same puzzles again, another makes others`, () => {
    const set = { ...SIZES, difficulty: 2, seed: 1 } as const;
    const rows = generatePuzzles(generator, set);
    assert.deepEqual(generatePuzzles(generator, set), rows);
    assert.notDeepEqual(generatePuzzles(generator, { ...set, seed: 2 }), rows);
    assert.ok(rows.every((row) => row.domain === domain));
    assert.equal(new Set(rows.map(({ problem }) => problem)).size, SIZES.train + SIZES.test);
  });

  test(`${domain}: no puzzle is in both splits, over seeds and difficulties`, () => {
    const sets = DIFFICULTIES.flatMap((difficulty) => [1, 2].map((seed) => ({ ...SIZES, difficulty, seed })));
    const rows = sets.flatMap((set) => generatePuzzles(generator, set));
    const held = new Set(rows.filter(({ split }) => split === 'test').map(contentOf));
    assert.ok(held.size > 0);
    for (const row of rows) {
      assert.equal(held.has(contentOf(row)), row.split === 'test', row.answer);
    }
  });
}

test('more puzzles than there are is refused', () => {
  const generator = puzzleGenerators.puzzle24;
  assert.throws(
    () => generatePuzzles(generator, { difficulty: 1, train: 2_000, test: 0, seed: 0 }),
    /puzzle24: train: expected 2000 different puzzles, found \d+/,
  );
});

test('the 24-game knows solutions that need fractions, and puzzles without a solution', () => {
  assert.equal(easiestSolution([3, 3, 8, 8]), 'fractions');
  assert.equal(easiestSolution([1, 1, 1, 1]), null);
  assert.equal(easiestSolution([2, 3, 4, 1]), 'sums-and-products');
});

test('knights and knaves have exactly one solution', () => {
  const generator = puzzleGenerators['knights-knaves'];
  for (const difficulty of DIFFICULTIES) {
    for (const { answer } of generatePuzzles(generator, { ...SIZES, difficulty, seed: 3 })) {
      assert.equal(solveStatements(JSON.parse(answer).statements).length, 1);
    }
  }
});

test('zebra puzzles have exactly one solution, and need more clues as they get harder', () => {
  const generator = puzzleGenerators.zebra;
  const clues = DIFFICULTIES.map((difficulty) => {
    const rows = generatePuzzles(generator, { train: 8, test: 1, difficulty, seed: 3 });
    const truths = rows.map(({ answer }) => JSON.parse(answer));
    for (const { attributes, clues: told } of truths) assert.equal(solveHouses(attributes, told).length, 1);
    return truths.reduce((sum, truth) => sum + truth.clues.length, 0) / truths.length;
  });
  assert.deepEqual(
    [...clues].sort((a, b) => a - b),
    clues,
  );
});

test('houses are solved to all tables that fit, or to none', () => {
  const attributes = { name: ['Ann', 'Bob', 'Cem'], drink: ['tea', 'milk', 'cola'] };
  const [ann, bob] = [
    ['name', 'Ann'],
    ['name', 'Bob'],
  ] as const;
  assert.equal(solveHouses(attributes, [], 100).length, 36);
  assert.equal(solveHouses(attributes, [{ relation: 'directly-left-of', a: ann, b: bob }], 100).length, 12);
  assert.equal(solveHouses(attributes, [{ relation: 'same', a: ann, b: bob }]).length, 0);
});

test('ciphers shift letters and leave the rest', () => {
  assert.equal(encipher('Zebra, 1 xyz!', { kind: 'caesar', rotation: 3 }), 'Cheud, 1 abc!');
  assert.equal(encipher('Cheud', { kind: 'caesar', rotation: -3 }), 'Zebra');
  assert.equal(encipher('abc XYZ', { kind: 'atbash' }), 'zyx CBA');
  assert.equal(encipher('attack at dawn', { kind: 'vigenere', key: 'Lemon' }), 'lxfopv ef rnhr');
  assert.equal(encipher('abz', { kind: 'substitution', alphabet: 'qwertyuiopasdfghjklzxcvbnm' }), 'qwm');
});
