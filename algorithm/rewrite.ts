/**
 * Accepted responses are written into the form that supervised training teaches. Here by templates; a rewriter
 * that asks a model keeps the same interface.
 */
import type { TemplateName } from '../contracts/datasets.ts';
import { partsOf, type ResponseParts } from './response-parts.ts';

export interface Rewriter {
  name: string;
  version: number;
  /** The response in the target form; null where it has no thinking and answer that could be told apart. */
  rewrite(response: { problem: string; domain: string; text: string }): string | null;
}

/** The last sentence of a response whose final part is a bare answer. */
const CONCLUSION = (answer: string) => `The answer is ${answer}.`;

/** `<think>…</think><answer>…</answer>`: R1-Zero's own form. */
const ANSWER_TAGS = /^<think>.*<\/think>\s*<answer>.*<\/answer>$/s;

interface Template {
  version: number;
  /** whether a text, whose parts are known to stand once and in order, is left as it is */
  isTarget: RegExp;
  write(parts: ResponseParts): string | null;
}

const templates: Record<TemplateName, Template> = {
  'answer-tags': {
    version: 1,
    isTarget: ANSWER_TAGS,
    write: ({ thinking, answer }) =>
      answer === null ? null : `<think>${thinking}</think><answer>${answer}</answer>`,
  },
  // DeepSeek-R1's own: thinking in tags, then a summary in plain words for whoever asked.
  summary: {
    version: 1,
    isTarget: /^<think>\n(?!\s).*\S\n<\/think>\n\n(?!.*<\/?answer>)\S.*\S$/s,
    write: ({ thinking, final, answer }) =>
      `<think>\n${thinking}\n</think>\n\n${final === answer ? CONCLUSION(final) : final}`,
  },
};

/** The rewriter of a template. */
export function templateRewriter(name: TemplateName): Rewriter {
  const { version, isTarget, write } = templates[name];
  return {
    name,
    version,
    rewrite({ text }) {
      const parts = partsOf(text);
      if (parts === null) return null;
      return isTarget.test(text) ? text : write(parts);
    },
  };
}
