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

type Answer = { text: string } | { error: string };

/**
 * A chat template of a model's folder. It is a program by the model's author, so it is not trusted: it is rendered in
 * a separate process under limits of time, memory and length. The caller waits for the result.
 */
export class ChatTemplate {
  readonly #text: string;
  readonly #limits: TemplateLimits;

  /** Throws where the text is not a template. */
  constructor(text: string, limits: Partial<TemplateLimits> = {}) {
    if (text.length > TEMPLATE_CHARACTERS)
      throw new Error(`expected at most ${TEMPLATE_CHARACTERS} characters, found ${text.length}`);
    new Template(text);
    this.#text = text;
    this.#limits = { ...LIMITS, ...limits };
  }

  /** Throws where the template does, or exceeds its limits. */
  render(variables: Record<string, unknown>): string {
    const answer = ask({ template: this.#text, variables, limits: this.#limits });
    if ('text' in answer) return answer.text;
    throw new Error(answer.error);
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

/** Sends a request, and blocks this thread until the answer arrives. */
function ask(request: object): Answer {
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

function answerAt(port: MessagePort): Answer {
  const received: { message: Answer } | undefined = receiveMessageOnPort(port);
  if (received !== undefined) return received.message;
  void thread?.terminate();
  thread = undefined;
  return { error: `no process answered within ${ANSWER_TIMEOUT_MS / 1000} s` };
}
