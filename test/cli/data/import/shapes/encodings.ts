import { parquet, type Shape } from './verdict.ts';

const row = (question: string, answer = '1') => JSON.stringify({ question, answer });
const bytes = (...parts: (string | number[])[]) =>
  new Uint8Array(
    Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part)))),
  );
const utf16 = (text: string, order: 'LE' | 'BE', mark = true) => {
  const little = Buffer.from(`${mark ? '\uFEFF' : ''}${text}`, 'utf16le');
  return new Uint8Array(order === 'LE' ? little : little.swap16());
};
/** A row whose question is these bytes. */
const rawRow = (...question: number[]) => bytes('{"question":"', question, '","answer":"1"}\n');
const join = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
const OK = bytes(`${row('ok')}\n`);
const LONG = 'é'.repeat(100_000);

/** Texts in other encodings, and characters that are none. */
export const shapes: Shape[] = [
  {
    name: 'U+2028, U+2029 and U+0085 within a text end no line',
    files: { 'rows.jsonl': [row('a\u2028b'), row('a\u2029c'), row('a\u0085d'), row('plain')] },
    expected: 'train a\u2028b = 1; train a\u2029c = 1; train a\u0085d = 1; train plain = 1',
  },
  {
    name: 'lines end in \\r\\n, in \\r, or with the file',
    files: { 'a.jsonl': [`${row('a')}\r\n${row('b')}\r`], 'b.jsonl': [`${row('c')}\r${row('d')}`] },
    expected: 'train a = 1; train b = 1; train c = 1; train d = 1',
  },
  {
    name: 'blank lines are counted and passed over',
    files: { 'rows.jsonl': ['', row('a'), ' \t', '{'] },
    expected: 'train a = 1; refused 4',
  },
  {
    name: 'Shift-JIS',
    files: { 'rows.jsonl': join(rawRow(0x8e, 0x4f, 0x82, 0xc6, 0x8e, 0x6c), OK) },
    expected: 'train ok = 1; refused 1',
    before: 'train \ufffdO\ufffd\u018el = 1; train ok = 1',
  },
  {
    name: 'Latin-1',
    files: { 'rows.jsonl': join(OK, rawRow(0x63, 0x61, 0x66, 0xe9)) },
    expected: 'train ok = 1; refused 2',
    before: 'train ok = 1; train caf\ufffd = 1',
  },
  {
    name: 'GB 18030',
    files: { 'rows.jsonl': join(rawRow(0xc8, 0xfd, 0xbc, 0xd3), OK) },
    expected: 'train ok = 1; refused 1',
    before: 'train \ufffd\ufffd\ufffd\ufffd = 1; train ok = 1',
  },
  {
    name: 'half of a surrogate pair in bytes',
    files: { 'rows.jsonl': join(rawRow(0xed, 0xa0, 0x80), OK) },
    expected: 'train ok = 1; refused 1',
    before: 'train \ufffd\ufffd\ufffd = 1; train ok = 1',
  },
  {
    name: 'an overlong form',
    files: { 'rows.jsonl': join(OK, rawRow(0xc0, 0xaf)) },
    expected: 'train ok = 1; refused 2',
    before: 'train ok = 1; train \ufffd\ufffd = 1',
  },
  {
    name: 'a file that breaks off within a character',
    files: { 'rows.jsonl': join(OK, bytes('{"question":"caf', [0xc3])) },
    expected: 'train ok = 1; refused 2',
  },
  {
    name: 'UTF-8 with a byte order mark',
    files: { 'rows.jsonl': join(bytes([0xef, 0xbb, 0xbf]), OK) },
    expected: 'train ok = 1',
  },
  {
    name: 'UTF-16 with a byte order mark, in both orders',
    files: {
      'a.jsonl': utf16(`${row('fünf')}\r\n${row('三')}\n`, 'LE'),
      'b.jsonl': utf16(`${row('sechs')}\n${row('😀')}`, 'BE'),
    },
    expected: 'train fünf = 1; train 三 = 1; train sechs = 1; train 😀 = 1',
    before: 'error: a.jsonl line 1: expected a row of a known layout, found expected a JSON object.',
  },
  {
    name: 'UTF-16 without a mark',
    files: { 'rows.jsonl': utf16(row('a'), 'LE', false) },
    expected:
      'error: rows.jsonl line 1: expected a row of a known layout, found another: expected a JSON object, found NUL characters, as UTF-16 without a byte order mark has them. Convert the file to UTF-8..',
    before: 'error: rows.jsonl line 1: expected a row of a known layout, found expected a JSON object.',
  },
  {
    name: 'UTF-32',
    files: { 'rows.jsonl': bytes([0xff, 0xfe, 0, 0], [0x7b, 0, 0, 0]) },
    expected:
      'error: rows.jsonl: expected UTF-8, or UTF-16 with a byte order mark, found UTF-32. Convert the file to UTF-8.',
    before: 'error: rows.jsonl line 1: expected a row of a known layout, found expected a JSON object.',
  },
  {
    name: 'UTF-16 that holds half a pair',
    files: {
      'rows.jsonl': join(
        utf16(`${row('ok')}\n{"question":"`, 'LE'),
        new Uint8Array([0x00, 0xd8]),
        utf16('","answer":"1"}', 'LE', false),
      ),
    },
    expected: 'train ok = 1; refused 2',
    before: 'error: rows.jsonl line 1: expected a row of a known layout, found expected a JSON object.',
  },
  {
    name: 'a JSON array in UTF-8 or UTF-16 with a mark',
    files: {
      'a.json': join(bytes([0xef, 0xbb, 0xbf]), bytes(`[${row('a')}]`)),
      'b.json': utf16(`[${row('b')}]`, 'BE'),
    },
    expected: 'train a = 1; train b = 1',
    before: 'error: b.json: expected a JSON array of rows',
  },
  {
    name: 'a JSON array in Shift-JIS',
    files: { 'rows.json': join(bytes('[\n'), rawRow(0x8e, 0x4f), bytes(']')) },
    expected:
      'error: rows.json line 2: expected UTF-8, found the byte 0x8e, which begins no character of it. Convert the file to UTF-8.',
    before: 'train \ufffdO = 1',
  },
  {
    name: 'half a surrogate pair as an escape, in a problem, an answer and an entry',
    files: {
      'rows.jsonl': [
        { problem: 'ok', answer: '1', domain: 'math' },
        '{"problem": "a \\ud83d b", "answer": "1", "domain": "math"}',
        '{"problem": "c", "answer": "\\udc00", "domain": "text"}',
        '{"problem": "d", "answer": "1", "domain": "math", "entry": {"tests": ["\\ud800"]}}',
        '{"problem": "e \\ud83d\\ude00", "answer": "1", "domain": "math"}',
      ],
    },
    expected: 'train ok = 1; train e 😀 = 1; refused 2 problem; refused 3 answer; refused 4 entry',
    before:
      'train ok = 1; train a \ud83d b = 1; train c = \udc00 [text]; train d = 1 {"tests":["\\ud800"]}; train e \ud83d\ude00 = 1',
  },
  {
    name: 'half a pair in a field that is not kept',
    files: { 'rows.jsonl': ['{"question": "a", "answer": "1", "note": "\\ud800"}'] },
    expected: 'train a = 1',
  },
  {
    name: 'half a pair in responses',
    files: {
      'rows.jsonl': [
        { problem: 'a', response: 'x' },
        '{"problem": "b", "response": "\\ude00"}',
        '{"problem": "\\ude00", "response": "x"}',
      ],
    },
    expected: 'a > x > general; refused 2 response; refused 3 problem',
    before: 'a > x > general; b > \ude00 > general; \ude00 > x > general',
  },
  {
    name: 'half a pair in options and in a pair’s side',
    files: {
      'rows.jsonl': [
        '{"prompt": "a", "chosen": "x\\ud800", "rejected": "y"}',
        { prompt: 'b', chosen: 'x', rejected: 'y' },
      ],
    },
    expected: 'b > x > y; refused 1 chosen',
    before: 'a > x\ud800 > y; b > x > y',
  },
  {
    name: 'a NUL character, which PostgreSQL cannot hold',
    files: { 'rows.jsonl': [row('ok'), row('a\0b'), row('c', '1\0')] },
    expected: 'train ok = 1; refused 2 question; refused 3 answer',
    before: 'train ok = 1; train a\u0000b = 1; refused 3 answer',
  },
  {
    name: 'a control character that JSON forbids',
    files: { 'rows.jsonl': [row('ok'), '{"question": "a\tb", "answer": "1"}'] },
    expected: 'train ok = 1; refused 2',
  },
  {
    name: 'Parquet: a text that is no UTF-8',
    files: {
      'rows.parquet': parquet(
        {
          name: 'question',
          data: [new Uint8Array([0x8e, 0x4f]), new Uint8Array([0x6f, 0x6b])],
          type: 'BYTE_ARRAY',
        },
        { name: 'answer', data: ['1', '1'] },
      ),
    },
    expected: 'train ok = 1; refused 1 question',
    before: 'train \ufffdO = 1; train ok = 1',
  },
  {
    name: 'Parquet: bytes that are not read need be no text',
    files: {
      'rows.parquet': parquet(
        { name: 'question', data: ['ok'] },
        { name: 'answer', data: ['1'] },
        { name: 'image', data: [new Uint8Array([0xff, 0xd8, 0xff])], type: 'BYTE_ARRAY' },
      ),
    },
    expected: 'train ok = 1',
  },
  {
    name: 'a character that lies across two reads of the file',
    files: { 'rows.jsonl': [row(`x${LONG}`), row('b')] },
    expected: `train x${LONG} = 1; train b = 1`,
  },
];
