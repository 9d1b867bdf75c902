// The process that renders templates: a template that exhausts its memory ends only this process. It answers requests
// in order, each text of a request with the text or an error, and ends with its parent.
import { createContext, Script } from 'node:vm';
import { Template } from '@huggingface/jinja';

const context = createContext({ render: () => '' });
const run = new Script('render()');

/** Parsed templates; a process serves few. */
const templates = new Map();

function templateOf(text) {
  const known = templates.get(text);
  if (known !== undefined) return known;
  if (templates.size >= 8) templates.clear();
  const made = new Template(text);
  templates.set(text, made);
  return made;
}

function answer(template, variables, limits) {
  try {
    const made = templateOf(template);
    context.render = () => made.render(variables);
    // The timeout also stops loops inside of built-in functions.
    const text = run.runInContext(context, { timeout: limits.milliseconds });
    if (text.length <= limits.characters) return { text };
    return { error: `expected a text of at most ${limits.characters} characters, found ${text.length}` };
  } catch (error) {
    if (error?.code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') return { error: error?.message ?? String(error) };
    return { error: `expected a text within ${limits.milliseconds / 1000} s: it loops too long` };
  }
}

/** Ends with the first error: the texts after it are asked for again. */
function answers({ template, list, limits }) {
  const made = [];
  for (const variables of list) {
    made.push(answer(template, variables, limits));
    if ('error' in made.at(-1)) break;
  }
  return made;
}

process.on('message', (request) => process.send(answers(request)));
