import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { Template } from '@huggingface/jinja';

/** What a template may cost; an ordinary one takes a millisecond and a few kilobytes. */
export interface TemplateLimits {
  milliseconds: number;
  /** of the text that it makes */
  characters: number;
}
const LIMITS: TemplateLimits = { milliseconds: 10_000, characters: 8 * 2 ** 20 };
const MEMORY_MEGABYTES = 256;
const TEMPLATE_CHARACTERS = 2 ** 20;
/** Until a process has started and answered, also on a busy machine. */
const PATIENCE_MS = 120_000;

type Answer = { text: string } | { error: string };

/**
 * A chat template, which a model's folder brings along: a program by whoever made the model. It is rendered in a
 * process of its own, under limits of time, memory and length, and the caller waits for it.
 */
export class ChatTemplate {
  readonly #text: string;
  readonly #limits: TemplateLimits;

  /** Throws where the text is no template. */
  constructor(text: string, limits: Partial<TemplateLimits> = {}) {
    if (text.length > TEMPLATE_CHARACTERS)
      throw new Error(`expected at most ${TEMPLATE_CHARACTERS} characters, found ${text.length}`);
    new Template(text);
    this.#text = text;
    this.#limits = { ...LIMITS, ...limits };
  }

  /** Throws where the template does, or goes beyond its limits. */
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
    // The files are JavaScript: no loader is needed, which would wait for the thread that waits here.
    execArgv: [],
  });
  // It ends with whoever asks, who does not stay for it.
  made.unref();
  made.once('exit', () => {
    if (thread === made) thread = undefined;
  });
  thread = made;
  return made;
}

/** Asks, and holds this thread until the answer is there. */
function ask(request: object): Answer {
  const answered = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const { port1, port2 } = new MessageChannel();
  try {
    started().postMessage({ request, answered, port: port2 }, [port2]);
    Atomics.wait(answered, 0, 0, PATIENCE_MS);
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
  return { error: `no process answered within ${PATIENCE_MS / 1000} s` };
}
