/**
 * What bounds the work on one answer. Every limit is a count taken of the input, never a time, so the
 * verdict is the same on every machine.
 */
export const limits = {
  /** characters of a response that are searched for an answer, from its end */
  searchedCharacters: 200_000,
  /** characters of one answer */
  answerCharacters: 4_000,
  /** brackets, groups and functions inside one another */
  nesting: 60,
  /** nodes of one parsed answer */
  nodes: 2_000,
  /** elements of a set, list or matrix */
  elements: 256,
  /** bits of an exact numerator or denominator */
  numberBits: 32_768,
  /** about a nanosecond to a microsecond each: arithmetic operations and words of big numbers */
  steps: 200_000,
} as const;

/** The text is not one of the answers that the grammar knows. */
export class ParseFailure extends Error {
  override name = 'ParseFailure';
}

/** The input asks for more than `limits` allow. */
export class OverLimit extends Error {
  override name = 'OverLimit';
}

/** Counts down what one verdict may cost. */
export class StepBudget {
  left: number = limits.steps;

  spend(steps: number): void {
    this.left -= steps;
    if (this.left < 0) throw new OverLimit(`expected at most ${limits.steps} steps of arithmetic`);
  }
}
