import type { ImportedPrompts } from '../../algorithm/data/prompt-rows.ts';

/** What was left out of the prompts without being wrong. */
export function notesOn({
  duplicates,
  ignoredFields,
}: Pick<ImportedPrompts, 'duplicates' | 'ignoredFields'>): string[] {
  return [
    ...(duplicates > 0 ? [`Prompts: ${duplicates} rows repeat an earlier one and were left out.`] : []),
    ...(ignoredFields.length > 0 ? [`Prompts: nothing reads the fields ${ignoredFields.join(', ')}.`] : []),
  ];
}
