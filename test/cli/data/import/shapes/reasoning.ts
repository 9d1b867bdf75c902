import type { Shape } from './verdict.ts';

const REASON = 'zero and one make one';
const asked = { role: 'user', content: 'a' };
/** A conversation whose answer has more in its message than its content. */
const chat = (answer: object, more: object = {}) => ({
  messages: [asked, { role: 'assistant', content: 'It is 1.', ...answer }],
  ...more,
});
const beside = (more: object) => ({ problem: 'a', response: 'It is 1.', ...more });
const thought = (said = 'It is 1.', reason = REASON) => `<think>\n${reason}\n</think>\n\n${said}`;
const KEPT = `a > ${thought()} > general`;
const PLAIN = 'a > It is 1. > general';

const messageFields = ['reasoning_content', 'reasoning', 'thinking', 'thought', 'thoughts'].map(
  (field): Shape => ({
    name: `a message’s ${field} is kept as thinking`,
    files: { 'rows.jsonl': [chat({ [field]: REASON })] },
    expected: KEPT,
    before: 'a > It is 1. > general',
  }),
);

const columns = [
  'reasoning_content',
  'reasoning',
  'thinking',
  'thought',
  'chain_of_thought',
  'cot',
  'Reasoning_Trace',
].map(
  (field): Shape => ({
    name: `a column ${field} beside the response is kept as thinking`,
    files: { 'rows.jsonl': [beside({ [field]: REASON })] },
    expected: KEPT,
    before: 'a > It is 1. > general',
  }),
);

/** Reasoning apart from the response. */
export const shapes: Shape[] = [
  ...messageFields,
  ...columns,
  {
    name: 'a column beside messages is kept as thinking',
    files: { 'rows.jsonl': [chat({}, { reasoning_content: REASON })] },
    expected: KEPT,
    before: 'a > It is 1. > general',
  },
  {
    name: 'a column beside prompt and completion is kept as thinking',
    files: { 'rows.jsonl': [{ prompt: 'a', completion: 'It is 1.', thinking: REASON }] },
    expected: KEPT,
    before: 'a > It is 1. > general',
  },
  {
    name: 'content in parts: thinking, then text',
    files: {
      'rows.jsonl': [
        chat({
          content: [
            { type: 'thinking', thinking: REASON, signature: 'x' },
            { type: 'text', text: 'It is 1.' },
          ],
        }),
      ],
    },
    expected: KEPT,
    before: 'refused 1 messages.1.content',
  },
  {
    name: 'content in parts: reasoning, then output text',
    files: {
      'rows.jsonl': [
        chat({
          content: [
            { type: 'reasoning', text: REASON },
            { type: 'output_text', text: 'It is 1.' },
          ],
        }),
      ],
    },
    expected: KEPT,
    before: 'refused 1 messages.1.content',
  },
  {
    name: 'content in parts of text alone',
    files: {
      'rows.jsonl': [
        {
          messages: [
            { role: 'user', content: [{ type: 'text', text: 'a' }] },
            {
              role: 'assistant',
              content: [
                { type: 'text', text: 'It is' },
                { type: 'text', text: '1.' },
              ],
            },
          ],
        },
      ],
    },
    expected: 'a > It is\n1. > general',
    before: 'refused 1 messages.0.content',
  },
  {
    name: 'parts that are no text are refused',
    files: {
      'rows.jsonl': [
        chat({}),
        {
          messages: [
            { role: 'user', content: [{ type: 'image_url', image_url: 'x' }] },
            { role: 'assistant', content: 'x' },
          ],
        },
        chat({
          content: [
            { type: 'redacted_thinking', data: 'x' },
            { type: 'text', text: 'x' },
          ],
        }),
        chat({
          content: [
            { type: 'tool_use', name: 'x' },
            { type: 'text', text: 'x' },
          ],
        }),
      ],
    },
    expected: `${PLAIN}; refused 2 messages; refused 3 messages; refused 4 messages`,
    before:
      'a > It is 1. > general; refused 2 messages.0.content; refused 3 messages.1.content; refused 4 messages.1.content',
  },
  {
    name: 'a message of reasoning before the answer',
    files: {
      'rows.jsonl': ['reasoning', 'thinking'].map((role) => ({
        messages: [
          { ...asked, content: role },
          { role, content: REASON },
          { role: 'assistant', content: 'It is 1.' },
        ],
      })),
    },
    expected: `reasoning > ${thought()} > general; thinking > ${thought()} > general`,
    before:
      'reasoning\n\nzero and one make one > It is 1. > general; thinking\n\nzero and one make one > It is 1. > general',
  },
  {
    name: 'reasoning details in a list',
    files: { 'rows.jsonl': [chat({ reasoning_details: [{ type: 'reasoning.text', text: REASON }] })] },
    expected: KEPT,
    before: 'a > It is 1. > general',
  },
  {
    name: 'reasoning in a list of texts',
    files: { 'rows.jsonl': [beside({ reasoning: ['zero', 'one'] })] },
    expected: `a > ${thought('It is 1.', 'zero\none')} > general`,
    before: 'a > It is 1. > general',
  },
  {
    name: 'thinking that the response holds already is kept once',
    files: {
      'rows.jsonl': [beside({ response: `<think>${REASON}</think>It is 1.`, reasoning_content: REASON })],
    },
    expected: `a > <think>${REASON}</think>It is 1. > general`,
  },
  {
    name: 'other thinking than the response holds is refused',
    files: {
      'rows.jsonl': [
        beside({}),
        beside({ response: '<think>no</think>It is 1.', reasoning_content: REASON }),
      ],
    },
    expected: `${PLAIN}; refused 2 reasoning_content`,
    before: 'a > It is 1. > general; a > <think>no</think>It is 1. > general',
  },
  {
    name: 'thinking with its tags gets no second ones',
    files: { 'rows.jsonl': [beside({ thinking: `<think>\n${REASON}\n</think>` })] },
    expected: KEPT,
    before: 'a > It is 1. > general',
  },
  {
    name: 'thinking with tags within it is refused',
    files: { 'rows.jsonl': [beside({}), beside({ thinking: 'zero </think> and one' })] },
    expected: `${PLAIN}; refused 2 thinking`,
    before: 'a > It is 1. > general',
  },
  {
    name: 'two columns of reasoning that differ are refused, equal ones are one',
    files: {
      'rows.jsonl': [
        beside({ reasoning: REASON, thinking: 'other' }),
        beside({ reasoning: REASON, thinking: REASON }),
      ],
    },
    expected: `${KEPT}; refused 1 thinking`,
    before: 'a > It is 1. > general',
  },
  {
    name: 'null and blank reasoning is none',
    files: {
      'rows.jsonl': [beside({ reasoning_content: null }), beside({ problem: 'b', reasoning_content: ' ' })],
    },
    expected: `${PLAIN}; b > It is 1. > general`,
  },
  {
    name: 'a column that only says whether or how hard to reason is none',
    files: {
      'rows.jsonl': [
        beside({ reasoning: 'on' }),
        beside({ problem: 'b', thinking: true }),
        beside({ problem: 'c', reasoning: 'high' }),
      ],
    },
    expected: `${PLAIN}; b > It is 1. > general; c > It is 1. > general`,
  },
  {
    name: 'reasoning that is no text is refused',
    files: { 'rows.jsonl': [beside({}), beside({ reasoning_content: { steps: 3 } })] },
    expected: `${PLAIN}; refused 2 reasoning_content`,
    before: 'a > It is 1. > general',
  },
  {
    name: 'reasoning without an answer is refused',
    files: {
      'rows.jsonl': [
        chat({}),
        chat({ content: '', reasoning_content: REASON }),
        chat({ content: null, thinking: REASON }),
      ],
    },
    expected: `${PLAIN}; refused 2 messages; refused 3 messages.1.content`,
  },
  {
    name: 'both sides of a pair keep their reasoning',
    files: {
      'rows.jsonl': [
        {
          prompt: 'a',
          chosen: [{ role: 'assistant', content: 'It is 1.', reasoning_content: REASON }],
          rejected: [{ role: 'assistant', content: 'It is 2.', reasoning_content: 'guess' }],
        },
      ],
    },
    expected: `a > ${thought()} > ${thought('It is 2.', 'guess')}`,
    before: 'a > It is 1. > It is 2.',
  },
  {
    name: 'columns of a pair’s reasoning are kept, that of its judge is none',
    files: {
      'rows.jsonl': [
        { prompt: 'a', chosen: 'x', rejected: 'y', chosen_reasoning: REASON, rejected_reasoning: 'guess' },
        { prompt: 'b', chosen: 'x', rejected: 'y', reasoning: 'x is better' },
      ],
    },
    expected: `a > ${thought('x')} > ${thought('y', 'guess')}; b > x > y`,
    before: 'a > x > y; b > x > y',
  },
  {
    name: 'a labelled response keeps its reasoning',
    files: { 'rows.jsonl': [{ prompt: 'a', response: 'no', safe: true, reasoning_content: REASON }] },
    expected: `a > ${thought('no')} > true`,
    before: 'a > no > true',
  },
  {
    name: 'prompts keep no response, and so no reasoning',
    files: { 'rows.jsonl': [{ question: 'a', answer: '1', reasoning_content: REASON }] },
    expected: 'train a = 1',
  },
  {
    name: 'several turns are refused, and what a tool said is no question',
    files: {
      'rows.jsonl': [
        chat({}),
        {
          messages: [asked, { role: 'assistant', content: 'x' }, asked, { role: 'assistant', content: 'y' }],
        },
        { messages: [asked, { role: 'tool', content: '3' }, { role: 'assistant', content: 'y' }] },
      ],
    },
    expected: `${PLAIN}; refused 2 messages; refused 3 messages`,
    before: 'a > It is 1. > general; a\n\n3 > y > general; refused 2 messages',
  },
  {
    name: 'system and question are one, without reasoning of either',
    files: {
      'rows.jsonl': [
        {
          messages: [
            { role: 'system', content: 'Be kind.' },
            asked,
            { role: 'assistant', content: 'x', name: 'y' },
          ],
        },
      ],
    },
    expected: 'Be kind.\n\na > x > general',
  },
];
