import { clearLine, cursorTo } from 'node:readline';

/** One line that is redrawn in place on a terminal, and elsewhere printed now and then. */
export interface LiveLine {
  show(text: string): void;
  /** A line that stays. */
  say(text: string): void;
  /** Leaves the cursor on a fresh line. */
  end(): void;
}

/** Between two printed lines where there is no terminal, in milliseconds. */
const PRINT_EVERY = 5_000;

export function createLiveLine(stream: NodeJS.WriteStream = process.stderr, now = Date.now): LiveLine {
  return stream.isTTY ? redrawn(stream) : printed(stream, now);
}

function redrawn(stream: NodeJS.WriteStream): LiveLine {
  let shown = '';
  const draw = (text: string) => {
    cursorTo(stream, 0);
    clearLine(stream, 0);
    // A line broken by the terminal's edge could not be redrawn in place.
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
  let printedAt = Number.NEGATIVE_INFINITY;
  const print = (text: string) => {
    if (text === last) return;
    last = text;
    printedAt = now();
    stream.write(`${text}\n`);
  };
  return {
    show: (text) => {
      pending = text;
      if (now() - printedAt >= PRINT_EVERY) print(text);
    },
    say: (text) => stream.write(`${text}\n`),
    end: () => {
      if (pending !== '') print(pending);
      pending = '';
    },
  };
}
