/** Ciphers of the letters A–Z; other characters and the letters' case stay as they are. */
export type Cipher =
  | { kind: 'caesar'; rotation: number }
  | { kind: 'atbash' }
  | { kind: 'vigenere'; key: string }
  | { kind: 'substitution'; alphabet: string };

/** The text in cipher. */
export function encipher(text: string, cipher: Cipher): string {
  const shift = shiftOf(cipher);
  let index = 0;
  return text.replace(/[A-Za-z]/g, (letter) => {
    const shifted = shift(numberOf(letter), index++);
    return String.fromCharCode((letter < 'a' ? 65 : 97) + shifted);
  });
}

/** Maps a letter's number in the alphabet, 0 … 25; `index` counts the text's letters before it. */
function shiftOf(cipher: Cipher): (letter: number, index: number) => number {
  if (cipher.kind === 'caesar') return (letter) => modulo(letter + cipher.rotation);
  if (cipher.kind === 'atbash') return (letter) => 25 - letter;
  if (cipher.kind === 'substitution') return (letter) => numberOf(cipher.alphabet.charAt(letter));
  return (letter, index) => modulo(letter + numberOf(cipher.key.charAt(index % cipher.key.length)));
}

const numberOf = (letter: string) => letter.toUpperCase().charCodeAt(0) - 65;
const modulo = (letter: number) => ((letter % 26) + 26) % 26;
