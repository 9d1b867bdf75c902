import { clearLine, cursorTo } from 'node:readline';

/** A line that is redrawn in place on a terminal, and printed at intervals elsewhere. */
export interface LiveLine {
  /** Without a terminal, the line is printed when the milestone changes; null: no milestone. */
  show(text: string, milestone: string | null): void;
  /** Prints a permanent line. */
  say(text: string): void;
  /** Moves the cursor to a new line. */
  end(): void;
}

/** Shortest and longest interval between printed lines without a terminal, in milliseconds. */
const AT_LEAST = 5_000;
const AT_MOST = 30_000;

/** A milestone at every tenth. */
export const tenthOf = (done: number, all: number) => String(Math.floor((10 * done) / Math.max(1, all)));

export function createLiveLine(stream: NodeJS.WriteStream = process.stderr, now = Date.now): LiveLine {
  return stream.isTTY ? redrawn(stream) : printed(stream, now);
}

function redrawn(stream: NodeJS.WriteStream): LiveLine {
  let shown = '';
  const draw = (text: string) => {
    cursorTo(stream, 0);
    clearLine(stream, 0);
    // A wrapped line could not be redrawn in place.
    stream.write(text.slice(0, Math.max(1, (stream.columns ?? 80) - 1)));
  };
  return {
    show: (text) => {
      shown = text;
      draw(text);
    },
    say: (text) => {
      draw('');
      stream.write(`${text}\n`);
      draw(shown);
    },
    end: () => {
      if (shown !== '') stream.write('\n');
      shown = '';
    },
  };
}

function printed(stream: NodeJS.WriteStream, now: () => number): LiveLine {
  let last = '';
  let pending = '';
  let passed: string | null = null;
  let printedAt = now() - AT_LEAST;
  const print = (text: string) => {
    if (text === last) return;
    last = text;
    printedAt = now();
    stream.write(`${text}\n`);
  };
  return {
    show: (text, milestone) => {
      pending = text;
      const silent = now() - printedAt;
      const isReached = milestone !== null && milestone !== passed && silent >= AT_LEAST;
      if (!isReached && silent < AT_MOST) return;
      passed = milestone;
      print(text);
    },
    say: (text) => stream.write(`${text}\n`),
    end: () => {
      if (pending !== '') print(pending);
      pending = '';
    },
  };
}
