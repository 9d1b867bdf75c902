/** Words that relate one value of a text to another, in the languages that models answer in. */

/** Matches whole words, and anywhere the symbols and the words of scripts without spaces. */
function words(whole: string, anywhere = '(?!)'): RegExp {
  return new RegExp(`(?<!\\p{L})(?:${whole})(?!\\p{L})|${anywhere}`, 'giu');
}

/**
 * What follows is a second guess. Not "or rather", "or equivalently": these lead to the same answer or a better one.
 */
export const DOUBT = words(
  'or(?!,? (?:rather|better|more|equivalently|simply|just|in |written|about|approximately|roughly|exactly))|maybe|perhaps|possibly|alternatively|' +
    '(?:could|might|may)(?: also| well| possibly)? be|oder(?! (?:besser|vielmehr|genauer))|vielleicht|möglicherweise|' +
    'o(?! (?:mejor|sea|más))|quizás?|tal vez|ou(?! (?:plutôt|melhor|mieux|seja|encore))|peut-être|talvez|possivelmente|' +
    'atau(?! lebih)|mungkin|или(?! (?:точнее|вернее))|может быть|возможно',
  '或(?!者说|者更)|可能|也许|也許|または|もしくは|あるいは|かもしれ|또는|혹은|아마',
);

/** The text before it is retracted. */
export const CORRECTION = words(
  'wait|actually|nope|sorry|correction|scratch that|oops|hmm+|hm|mistakes?|mistaken|wrong|incorrect|error|instead(?! of)|rather(?! than)|' +
    're-?check\\w*|re-?comput\\w*|re-?calculat\\w*|re-?consider\\w*|re-?examin\\w*|on second thought|off by|(?:i|we) (?:forgot|missed|overlooked|meant|mean)|' +
    'should (?:be|have been)|not right|not (?:quite )?correct|extraneous|(?:first|initially|originally) thought|' +
    'but (?:it|that|this|actually|really|in fact|the (?:correct|right|real|actual|final))|no no|' +
    'nein|falsch|korrektur|vielmehr|moment mal|eigentlich|fehler|perdón|mejor dicho|quise decir|me equivoqué|en realidad|espera|' +
    'non,|pardon|erreur|plutôt|en fait|attendez|não|desculpe|erro|na verdade|нет|ошибка|точнее|вернее|maaf|salah|sebenarnya|ralat',
  '(?:^|[.,;:!?…—–-])\\s*no(?=\\s*[,.;:!…—–-]|\\s+(?:it|that|wait))|不对|不對|错了|錯|应该是|應該是|更正|等等|いや|間違|訂正|正しくは|아니|틀렸|정정',
);

/** What follows is the same value in another form. */
export const SAME = words(
  'i\\.?e|that is|which is|which equals|equals?|equivalent(?:ly)?|in other words|namely|simplif\\w+|becomes|reduces to|' +
    "(?:written|expressed|rewritten) as|or (?:simply|just|in )\\w*|d\\.? ?h|das heißt|also gleich|es decir|o sea|c’est-à-dire|c'est-à-dire|" +
    'ou seja|isto é|то есть|yaitu|yakni',
  '即|也就是|すなわち|つまり|즉|[→⇒]|[-=]>|\\\\(?:to|implies|[rR]ightarrow)(?![a-zA-Z])',
);

/** What follows approximates the value before it. */
export const ROUNDED = words(
  'approximately|about|roughly|rounded|rounds to|ungefähr|etwa|aproximadamente|environ|примерно|kira-kira',
  '≈|≃|\\\\approx|\\\\simeq|约|約|大约|약',
);

/** What follows is concluded from the text before it. */
export const CONCLUSION = words(
  'so|thus|hence|therefore|finally|final|answer(?! ?\\(?\\d)|in total|altogether|overall|consequently|conclude|gives?|giving|yields?|' +
    'daher|somit|folglich|schließlich|antwort|insgesamt|por (?:lo )?tanto|así que|finalmente|respuesta|donc|ainsi|enfin|réponse|' +
    'portanto|logo|resposta|jadi|maka|sehingga|jawaban\\w*|значит|поэтому|итого|ответ',
  '所以|因此|故|最终|最終|答案|だから|よって|したがって|答え|따라서|그러므로|정답|답',
);

/** Precedes a value that is denied. */
const DENIAL = words(
  "(?:is|are|was|does|do)n['’]t|not|never|rather than|instead of|unlike|nicht|kein|statt|anstatt|no es|y no|en vez de|pas|et non|plutôt que|" +
    'não|em vez de|а не|не|вместо|bukan|tidak',
  '不是|而不是|并非|ではなく|아니라',
);

/** Precedes a value that only bounds the answer. */
const BOUND =
  '(?<!\\p{L})(?:at (?:least|most)|(?:more|less|fewer|greater|larger|smaller|higher|lower) than|between\\s+[-\\d.,]{1,20}\\s+and|between|up to|mindestens|höchstens|al menos|como máximo|au moins|au plus)(?!\\p{L})';

const BEFORE_VALUE = '[\\s$("\'*\\\\[]*$';
/** The text before a denied value. */
export const DENIED = new RegExp(`(?:${DENIAL.source})${BEFORE_VALUE}`, 'iu');
/** The text before a value that is denied or only a bound. */
export const DENIED_OR_BOUND = new RegExp(`(?:${DENIAL.source}|${BOUND})${BEFORE_VALUE}`, 'iu');

/** The index of a cue's last occurrence in a short text; −1 without one. */
export function lastCue(text: string, cue: RegExp): number {
  return [...text.matchAll(cue)].at(-1)?.index ?? -1;
}

export function hasCue(text: string, cue: RegExp): boolean {
  cue.lastIndex = 0;
  return cue.test(text);
}

/** What follows is a reason for the value before it. */
const REASONS =
  'because|since|weil|da|denn|porque|pues|puesto que|ya que|car|parce que|puisque|pois|karena|sebab|потому|так как|поскольку';
const REASONS_ANYWHERE = '因为|因為|なぜなら|왜냐하면|때문';
export const REASON = words(REASONS, REASONS_ANYWHERE);

/** What follows is a reason, a condition or a remark, not part of the value before it. */
export const ASIDE = words(
  `${REASONS}|if|when|whenever|as|so|but|not|rather than|instead of|where|which|provided|assuming|given|unless|while|although|though|whereas|` +
    'for (?:all|any|every|each|some|the|which)|with the|that is|wenn|falls|sofern|nicht|statt|wobei|aber|si|cuando|no|pero|donde|' +
    'quand|lorsque|pas|mais|où|et non|se|quando|não|mas|onde|jika|bila|ketika|bukan|tetapi|если|когда|а не|но|где',
  `${REASONS_ANYWHERE}|如果|当|而不是|不是|而且|所以|但|もし`,
);
