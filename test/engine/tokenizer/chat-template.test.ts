import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Template } from '@huggingface/jinja';
import { ChatTemplate } from '../../../engine/tokenizer/chat-template.ts';

const MESSAGES = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: '1/2 + 1/2? „é語“ \ud800 \u2028' },
];

test('a template is rendered as the package renders it', () => {
  const text =
    '{{ bos_token }}{% for m in messages %}<|{{ m.role }}|>{{ m.content | trim }}{% if not loop.last %},{% endif %}{% endfor %}' +
    '{% if add_generation_prompt %}<|assistant|>{% endif %}{{ absent is defined }}{{ nothing is none }}';
  const variables = {
    messages: MESSAGES,
    bos_token: '<s>',
    absent: undefined,
    nothing: null,
    add_generation_prompt: true,
  };
  assert.equal(new ChatTemplate(text).render(variables), new Template(text).render(variables));
});

test('texts that are prepared are those that are rendered, and what the template refuses is refused by render', () => {
  const template = new ChatTemplate("{% if n == 70 %}{{ raise_exception('no 70') }}{% endif %}<{{ n }}>");
  const list = Array.from({ length: 200 }, (_, n) => ({ n }));
  template.prepare(list);
  for (const { n } of list.filter(({ n }) => n !== 70)) assert.equal(template.render({ n }), `<${n}>`);
  assert.throws(() => template.render({ n: 70 }), /no 70/);
  assert.equal(template.render({ n: '1' }), '<1>', 'a text and a number are different variables');
});

test('what a template refuses is told in its own words', () => {
  const template = new ChatTemplate('{{ raise_exception("roles must alternate") }}');
  assert.throws(() => template.render({}), /roles must alternate/);
  assert.throws(() => new ChatTemplate('{% for %}'), /./);
  assert.throws(() => new ChatTemplate(' '.repeat(2 ** 21)), /at most 1048576 characters, found 2097152/);
});

const DOUBLED = (times: number) =>
  `{% set ns = namespace(s="xxxxxxxxxxxxxxxx") %}{% for i in range(${times}) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}`;

/** Templates without an end, or with one that no machine reaches. */
const HOSTILE: Record<string, [text: string, told: RegExp]> = {
  'a loop of 10^9 turns': ['{% for i in range(1000000000) %}x{% endfor %}', /256 MB|within/],
  'a list of 10^8 numbers': ['{{ range(100000000) | length }}', /256 MB|within/],
  'loops within a loop': [
    '{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}',
    /within 1 s: it loops too long/,
  ],
  'a text that doubles': [`${DOUBLED(40)}{{ ns.s }}`, /Invalid string length|256 MB/],
  'a text that doubles and is copied': [`${DOUBLED(24)}{{ ns.s | upper | length }}`, /256 MB/],
  'a list of large texts': [
    `${DOUBLED(20)}{% set ns.a = [] %}{% for i in range(99) %}{% set ns.a = ns.a + [ns.s | upper] %}{% endfor %}`,
    /256 MB|within/,
  ],
  'a list that holds itself twice, time after time': [
    '{% set ns = namespace(a=["x"]) %}{% for i in range(60) %}{% set ns.a = [ns.a, ns.a] %}{% endfor %}{{ ns.a | tojson }}',
    /256 MB|within/,
  ],
  'a list that doubles': [
    '{% set ns = namespace(a=["x"]) %}{% for i in range(60) %}{% set ns.a = ns.a + ns.a %}{% endfor %}',
    /256 MB|within|array length/,
  ],
  'brackets within brackets': [`{{ ${'['.repeat(3_000)}${']'.repeat(3_000)} | tojson }}`, /stack/],
  'a long text': [`${DOUBLED(20)}{{ ns.s }}`, /at most 8388608 characters, found 16777216/],
};

for (const [what, [text, told]] of Object.entries(HOSTILE)) {
  test(`${what} ends the template, and nothing else`, () => {
    assert.throws(() => new ChatTemplate(text, { milliseconds: 1_000 }).render({}), told);
    assert.equal(new ChatTemplate('{{ 1 + 1 }}').render({}), '2');
  });
}
