/** The part of a response that a reward model reads. */

/** `helpfulness` learns from pairs, `safety` from labels. */
export type JudgedFor = 'helpfulness' | 'safety';

interface PromptForm {
  /** the prompt ends with `<think>`, from the chat template */
  prefilled: boolean;
}

type Reading = (response: string, form: PromptForm) => string;

const CLOSE = '</think>';

const READINGS: Record<JudgedFor, Reading> = {
  // Only the text that the user reads: preferences must not shape the thinking. Thinking without an end leaves nothing.
  helpfulness: (response, { prefilled }) => {
    const end = response.indexOf(CLOSE);
    if (end >= 0) return response.slice(end + CLOSE.length).trim();
    return prefilled || response.trimStart().startsWith('<think>') ? '' : response.trim();
  },
  // Harm may be anywhere, also in the thinking.
  safety: (response) => response,
};

/** The part of a response that a reward model scores (DeepSeek-R1, arXiv 2501.12948, section 2.3.4). */
export function scoredText(judgedFor: JudgedFor, response: string, form: PromptForm): string {
  return READINGS[judgedFor](response, form);
}
