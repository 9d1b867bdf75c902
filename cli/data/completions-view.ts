/** Completions with their verdicts, as a person reads them. */
import type { CompletionDocument, StepSamplesDocument } from '../../contracts/completion-document.ts';
import type { EvalDocument } from '../../contracts/documents.ts';
import { count } from '../output/figures.ts';
import { plainLines, plainText } from '../output/plain-text.ts';

/** How many of the samples went which way. */
export function countCompletions(completions: readonly CompletionDocument[]): EvalDocument['counts'] {
  const number = (of: (completion: CompletionDocument) => boolean) => completions.filter(of).length;
  return {
    right: number(({ verdict }) => verdict === 'right'),
    wrong: number(({ verdict }) => verdict === 'wrong'),
    errors: number(({ verdict }) => verdict === 'error'),
    unanswered: number(({ extracted }) => extracted === null),
    truncated: number(({ truncated }) => truncated),
  };
}

/** `1024 samples: 0 right, 1024 wrong; in 1010 no answer was found, 1024 were cut at 128 tokens` */
export function countsText(
  { right, wrong, errors, unanswered, truncated }: EvalDocument['counts'],
  { samples, limit }: { samples: number; limit: number },
): string {
  const parts = [
    ...(unanswered > 0 ? [`in ${unanswered} no answer was found`] : []),
    ...(truncated > 0 ? [`${truncated} were cut at ${limit} tokens`] : []),
  ];
  const failed = errors === 0 ? '' : `, ${errors} without a verdict (errors)`;
  return `${samples} samples: ${right} right, ${wrong} wrong${failed}${parts.length === 0 ? '' : `; ${parts.join(', ')}`}`;
}

const PROMPT_CHARACTERS = 600;
const COMPLETION_CHARACTERS = 2_000;
const ANSWER_CHARACTERS = 200;

/** One completion: what became of it, the prompt, the text, the answer found and the right one. */
export function completionText(completion: CompletionDocument, head: readonly string[] = []): string {
  const { verdict, rewards, domain, sample, tokens, truncated, prompt, extracted, truth } = completion;
  const parts = Object.entries(rewards).map(([name, part]) => `${name} ${partText(part)}`);
  const size = truncated ? `${count(tokens)} tokens, cut by the limit` : `${count(tokens)} tokens`;
  const answer = extracted === null ? 'none was found' : plainText(extracted, ANSWER_CHARACTERS);
  return [
    [...head, `${domain}, sample ${sample}`, verdict, parts.join(', '), size].join('  ·  '),
    block('prompt', prompt, PROMPT_CHARACTERS),
    block('completion', completion.completion, COMPLETION_CHARACTERS),
    `  answer      ${answer}`,
    `  right is    ${truth === '' ? 'as an entry of its own says' : plainText(truth, ANSWER_CHARACTERS)}`,
  ].join('\n');
}

/** A text under its name, each of its lines indented. */
function block(name: string, text: string, length: number): string {
  const [first = '', ...others] = plainLines(text, length);
  return [`  ${name.padEnd(10)}  ${first}`, ...others.map((line) => `              ${line}`)].join('\n');
}

function partText(part: CompletionDocument['rewards'][string]): string {
  if (part === null) return '–';
  return 'score' in part
    ? String(Number(part.score.toFixed(3)))
    : `${part.error.kind}: ${plainText(part.error.message, 80)}`;
}

/** The completions of a step, and how many there are of each kind. */
export function stepSamplesText(document: StepSamplesDocument): string {
  const { run, stage, step, completions, right, wrong, errors, asked, samples, policy } = document;
  const failed = errors === 0 ? '' : `, ${errors} without a verdict (errors)`;
  const shown = samples.length < asked ? `\n${samples.length} of ${asked} shown; --limit shows more.` : '';
  return [
    `${run}/${stage} step ${step}: ${completions} completions, ${right} right, ${wrong} wrong${failed}; sampled by the policy ` +
      `${policy.slice(0, 12)}.${shown}`,
    ...(samples.length === 0 ? ['No such completion.'] : []),
    ...samples.map((sample) => completionText(sample, [`sequence ${sample.sequence}`, fateText(sample)])),
  ].join('\n\n');
}

function fateText({ advantage, dropped }: StepSamplesDocument['samples'][number]): string {
  if (dropped !== null) return `left out: ${plainText(dropped, 80)}`;
  return advantage === null ? 'not in the batch' : `advantage ${advantage.toFixed(3)}`;
}
