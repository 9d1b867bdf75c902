import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countReflections, reflectionWords } from '../../../algorithm/evaluation/reflection.ts';

test("each of the paper's words counts, as a whole word and in any case", () => {
  for (const word of reflectionWords) assert.equal(countReflections(`so ${word.toUpperCase()}, then`), 1);
  assert.equal(countReflections('Wait. 7+15=23 check 23-15=8 wait 7+15=22'), 3);
  assert.equal(countReflections('checked, waiting, butter, errors, rewrong'), 0);
  assert.equal(countReflections(''), 0);
});

test("the nano base's foreign words for checking and waiting count like its home words", () => {
  assert.equal(countReflections('primero 7+15=23 reviso 7+15=22 espera 22 luego 22+3=25'), 2);
});
