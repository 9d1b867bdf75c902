/** Chat templates: how messages become the text of a prompt. */
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { Template } from '@huggingface/jinja';

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

export type Prompt = string | readonly ChatMessage[];

/** Limits of rendering a template; an ordinary one takes a millisecond and a few kilobytes. */
export interface TemplateLimits {
  milliseconds: number;
  /** of the rendered text */
  characters: number;
}
const LIMITS: TemplateLimits = { milliseconds: 10_000, characters: 8 * 2 ** 20 };
const MEMORY_MEGABYTES = 256;
const TEMPLATE_CHARACTERS = 2 ** 20;
/** Time for a process to start and answer, also on a busy machine. */
const ANSWER_TIMEOUT_MS = 120_000;

/** Texts that a template keeps, and the characters of the longest one: a prompt is rendered to be encoded, and to be shown. */
const KEPT = 512;
const KEPT_CHARACTERS = 16 * 1024;
/** Texts of one request: one round trip costs as much as rendering several prompts. */
const RENDERED_AT_ONCE = 64;

type Answer = { text: string } | { error: string };
type Variables = Record<string, unknown>;

/**
 * A chat template of a model's folder. It is a program by the model's author, so it is not trusted: it is rendered in
 * a separate process under limits of time, memory and length. The caller waits for the result.
 */
export class ChatTemplate {
  readonly #text: string;
  readonly #limits: TemplateLimits;
  /** by their variables as JSON, in the order in which they were rendered */
  readonly #rendered = new Map<string, string>();

  /** Throws where the text is not a template. */
  constructor(text: string, limits: Partial<TemplateLimits> = {}) {
    if (text.length > TEMPLATE_CHARACTERS)
      throw new Error(`expected at most ${TEMPLATE_CHARACTERS} characters, found ${text.length}`);
    new Template(text);
    this.#text = text;
    this.#limits = { ...LIMITS, ...limits };
  }

  /** Throws where the template does, or exceeds its limits. */
  render(variables: Variables): string {
    const known = this.#rendered.get(JSON.stringify(variables));
    if (known !== undefined) return known;
    const [answer] = this.#ask([variables]);
    if (answer !== undefined && 'text' in answer) return answer.text;
    throw new Error(answer?.error);
  }

  /** Renders several texts by few requests; `render` then has them. One that the template refuses is refused by `render`. */
  prepare(list: readonly Variables[]): void {
    for (let from = 0; from < list.length; from += RENDERED_AT_ONCE)
      this.#ask(list.slice(from, from + RENDERED_AT_ONCE));
  }

  #ask(list: readonly Variables[]): Answer[] {
    const answers = ask({ template: this.#text, list, limits: this.#limits });
    for (const [i, answer] of answers.entries())
      if ('text' in answer && answer.text.length <= KEPT_CHARACTERS)
        this.#rendered.set(JSON.stringify(list[i]), answer.text);
    for (const oldest of [...this.#rendered.keys()].slice(0, -KEPT)) this.#rendered.delete(oldest);
    return answers;
  }
}

let thread: Worker | undefined;

function started(): Worker {
  if (thread !== undefined) return thread;
  const made = new Worker(new URL('./chat-template-thread.mjs', import.meta.url), {
    workerData: { memoryMegabytes: MEMORY_MEGABYTES },
    // No loader for TypeScript: it would wait for this thread, which is blocked until the answer arrives.
    execArgv: [],
  });
  // The thread does not keep the process alive.
  made.unref();
  made.once('exit', () => {
    if (thread === made) thread = undefined;
  });
  thread = made;
  return made;
}

/** Sends a request, and blocks this thread until the answers arrive; one error where the process ends. */
function ask(request: object): Answer[] {
  const answered = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const { port1, port2 } = new MessageChannel();
  try {
    started().postMessage({ request, answered, port: port2 }, [port2]);
    Atomics.wait(answered, 0, 0, ANSWER_TIMEOUT_MS);
    return answerAt(port1);
  } finally {
    port1.close();
  }
}

function answerAt(port: MessagePort): Answer[] {
  const received: { message: Answer[] } | undefined = receiveMessageOnPort(port);
  if (received !== undefined) return received.message;
  void thread?.terminate();
  thread = undefined;
  return [{ error: `no process answered within ${ANSWER_TIMEOUT_MS / 1000} s` }];
}
