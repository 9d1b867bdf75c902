// The process that templates run in: a template that fills its memory ends it alone. It answers one request after
// another, each with the text or with what is wrong, and ends with whoever asks.
import { createContext, Script } from 'node:vm';
import { Template } from '@huggingface/jinja';

const room = createContext({ render: () => '' });
const run = new Script('render()');

/** Templates that were asked for last; a process serves few. */
const templates = new Map();

function templateOf(text) {
  const known = templates.get(text);
  if (known !== undefined) return known;
  if (templates.size >= 8) templates.clear();
  const made = new Template(text);
  templates.set(text, made);
  return made;
}

function answer({ template, variables, limits }) {
  try {
    const made = templateOf(template);
    room.render = () => made.render(variables);
    // Whatever loops is stopped, also within a function of the language itself.
    const text = run.runInContext(room, { timeout: limits.milliseconds });
    if (text.length <= limits.characters) return { text };
    return { error: `expected a text of at most ${limits.characters} characters, found ${text.length}` };
  } catch (error) {
    if (error?.code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') return { error: error?.message ?? String(error) };
    return { error: `expected a text within ${limits.milliseconds / 1000} s: it loops too long` };
  }
}

process.on('message', (request) => process.send(answer(request)));
