/** Ciphers of the letters A–Z; whatever else stands in a text stays as it is, and so does the letters' case. */
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
    const place = shift(placeOf(letter), index++);
    return String.fromCharCode((letter < 'a' ? 65 : 97) + place);
  });
}

/** The place, 0 … 25, that a letter's place becomes; `index` counts the text's letters before it. */
function shiftOf(cipher: Cipher): (place: number, index: number) => number {
  if (cipher.kind === 'caesar') return (place) => modulo(place + cipher.rotation);
  if (cipher.kind === 'atbash') return (place) => 25 - place;
  if (cipher.kind === 'substitution') return (place) => placeOf(cipher.alphabet.charAt(place));
  return (place, index) => modulo(place + placeOf(cipher.key.charAt(index % cipher.key.length)));
}

const placeOf = (letter: string) => letter.toUpperCase().charCodeAt(0) - 65;
const modulo = (place: number) => ((place % 26) + 26) % 26;
