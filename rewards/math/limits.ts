/**
 * Bounds on the work for one answer. Every limit is a count over the input, never a time, so the verdict is the same
 * on every machine.
 */
export const limits = {
  /** characters of a response that are searched for an answer, from its end */
  searchedCharacters: 200_000,
  /** characters of one answer */
  answerCharacters: 4_000,
  /** depth of nested brackets, groups and functions */
  nesting: 60,
  /** nodes of one parsed answer */
  nodes: 2_000,
  /** elements of a set, list or matrix */
  elements: 256,
  /** bits of an exact numerator or denominator */
  numberBits: 32_768,
  /** arithmetic operations, and words of big numbers; each takes between a nanosecond and a microsecond */
  steps: 200_000,
} as const;

/** The grammar cannot parse the text. */
export class ParseFailure extends Error {
  override name = 'ParseFailure';
}

/** The input exceeds one of the `limits`. */
export class OverLimit extends Error {
  override name = 'OverLimit';
}

/** Counts down the steps that one verdict may cost. */
export class StepBudget {
  left: number = limits.steps;

  spend(steps: number): void {
    this.left -= steps;
    if (this.left < 0) throw new OverLimit(`expected at most ${limits.steps} steps of arithmetic`);
  }
}
