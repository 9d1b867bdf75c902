/** What of a response a reward model reads. */

/** `helpfulness` learns from pairs, `safety` from labels. */
export type JudgedFor = 'helpfulness' | 'safety';

interface Asked {
  /** the chat template has opened `<think>` in the prompt already */
  prefilled: boolean;
}

type Reading = (response: string, asked: Asked) => string;

const CLOSE = '</think>';

const READINGS: Record<JudgedFor, Reading> = {
  // What the reader is given: the thinking is not to be shaped by taste. Thinking that never ends gives nothing.
  helpfulness: (response, { prefilled }) => {
    const end = response.indexOf(CLOSE);
    if (end >= 0) return response.slice(end + CLOSE.length).trim();
    return prefilled || response.trimStart().startsWith('<think>') ? '' : response.trim();
  },
  // Harm may lie anywhere, the thinking included.
  safety: (response) => response,
};

/** The part of a response that a reward model scores (DeepSeek-R1, arXiv 2501.12948, section 2.3.4). */
export function scoredText(judgedFor: JudgedFor, response: string, asked: Asked): string {
  return READINGS[judgedFor](response, asked);
}
