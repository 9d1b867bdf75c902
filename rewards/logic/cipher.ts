import { z } from 'zod';
import { encipher } from '../../algorithm/puzzles/ciphers.ts';
import { finalText } from '../chain-of-thought.ts';
import { defineVerifier } from '../verifier.ts';

const cipher = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('caesar'), rotation: z.int() }),
  z.object({ kind: z.literal('atbash') }),
  z.object({ kind: z.literal('vigenere'), key: z.string().regex(/^[A-Za-z]{1,100}$/) }),
  z.object({
    kind: z.literal('substitution'),
    alphabet: z
      .string()
      .regex(/^[A-Za-z]{26}$/)
      .refine((letters) => new Set(letters.toLowerCase()).size === 26, 'expected every letter once'),
  }),
]);

const truth = z.looseObject({
  cipher,
  cipherText: z.string().trim().min(1),
});
type Truth = z.infer<typeof truth>;

/**
 * 1 where the final answer is the plain text: enciphered, it equals the cipher text. Case and white space are
 * ignored.
 */
export const decipher = defineVerifier<Truth>({
  name: 'decipher',
  version: 1,
  truth,
  grade(entry, response) {
    const answer = finalText(response);
    if (answer === null || answer.length > 2 * entry.cipherText.length + 1_000) {
      return { score: 0, extracted: answer };
    }
    const enciphered = encipher(unquoted(answer), entry.cipher);
    return { score: plain(enciphered) === plain(entry.cipherText) ? 1 : 0, extracted: answer };
  },
});

const unquoted = (text: string) => text.replace(/^["'“‘`]|["'”’`]$/g, '');
const plain = (text: string) => text.trim().toUpperCase().replace(/\s+/g, ' ');
