/**
 * Rewrites accepted responses into the form that supervised training teaches, by templates. A rewriter that uses a
 * model would have the same interface.
 */
import type { TemplateName } from '../../contracts/datasets.ts';
import { isWellFormed, partsOf, type ResponseParts } from './response-parts.ts';

export interface Rewriter {
  name: string;
  version: number;
  /** The response in the target form; null where thinking and answer cannot be separated. */
  rewrite(response: { problem: string; domain: string; text: string }): string | null;
}

/** The last sentence of a response whose final part is a bare answer. */
const CONCLUSION = (answer: string) => `The answer is ${answer}.`;

interface Template {
  version: number;
  /** whether a text, whose parts occur once and in order, is already in the form */
  isTarget(text: string): boolean;
  write(parts: ResponseParts): string | null;
}

const templates: Record<TemplateName, Template> = {
  // R1-Zero's own form.
  'answer-tags': {
    version: 1,
    isTarget: isWellFormed,
    write: ({ thinking, answer }) =>
      answer === null ? null : `<think>${thinking}</think><answer>${answer}</answer>`,
  },
  // DeepSeek-R1's own: thinking in tags, then a summary in plain text for the user.
  summary: {
    version: 1,
    isTarget: isSummaryForm,
    write: ({ thinking, final, answer }) =>
      `<think>\n${thinking}\n</think>\n\n${final === answer ? CONCLUSION(final) : final}`,
  },
};

function isSummaryForm(text: string): boolean {
  const [open, close] = ['<think>\n', '\n</think>\n\n'];
  const cut = text.indexOf(close);
  if (!text.startsWith(open) || cut < open.length) return false;
  const [thinking, final] = [text.slice(open.length, cut), text.slice(cut + close.length)];
  return [thinking, final].every((part) => part !== '' && part === part.trim()) && !/<\/?answer>/.test(final);
}

/** The rewriter of a template. */
export function templateRewriter(name: TemplateName): Rewriter {
  const { version, isTarget, write } = templates[name];
  return {
    name,
    version,
    rewrite({ text }) {
      const parts = partsOf(text);
      if (parts === null) return null;
      return isTarget(text) ? text : write(parts);
    },
  };
}
