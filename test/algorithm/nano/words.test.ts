import assert from 'node:assert/strict';
import { test } from 'node:test';
import { homeShare, inHomeWords } from '../../../algorithm/nano/words.ts';

test('the home share counts step words of both languages, and a text without any has none', () => {
  assert.equal(homeShare('first 7+15=22 then 22+3=25'), 1);
  assert.equal(homeShare('primero 7+15=22 luego 22+3=25'), 0);
  assert.equal(homeShare('first 7+15=23 reviso 7+15=22 espera 22 then 22+3=25'), 0.5);
  assert.equal(homeShare('7+15=22'), null);
  assert.equal(homeShare(''), null);
});

test('a solution said in home words keeps its steps', () => {
  assert.equal(
    inHomeWords('<think>primero 7+15=23 reviso 7+15=22 espera 22 luego 22+3=25</think>'),
    '<think>first 7+15=23 check 7+15=22 wait 22 then 22+3=25</think>',
  );
  assert.equal(inHomeWords('first 1+1=2 then 2+1=3'), 'first 1+1=2 then 2+1=3');
});
