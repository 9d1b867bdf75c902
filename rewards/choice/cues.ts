/**
 * Words by which a response chooses an option, rejects it, or doubts it: in English and in the languages of
 * multilingual benchmarks. Patterns allow only a few blanks in a row, which is enough since a prepared text has no
 * runs of blanks: bounded repetition keeps the patterns linear in the text.
 */

const LETTER = '[\\p{Script=Latin}\\p{Script=Cyrillic}\\p{Script=Greek}\\p{M}]';
/** Any of the words, as whole words. */
const whole = (words: string) => `(?<!${LETTER})(?:${words})(?!${LETTER})`;
const either = (...patterns: string[]) => `(?:${patterns.join('|')})`;

/** Nouns for an answer or an option. */
export const ANSWER_NOUN = either(
  whole(
    'answers?|ans|options?|choices?|letter|alternatives?|response|' +
      'antwort|antwortmöglichkeit|lösung|buchstabe|respuesta|opción|alternativa|solución|letra|réponse|lettre|solution|' +
      'resposta|opção|gabarito|solução|risposta|opzione|scelta|soluzione|lettera|ответ|вариант|відповідь|antwoord|' +
      'odpowiedź|odpověď|svar|svaret|vastaus|válasz|răspuns|răspunsul|cevap|yanıt|đáp án|απάντηση|' +
      'jawaban|jawabannya|pilihan|pilihannya|opsi|jibu|jawabu|idahun',
  ),
  '答案|答え|回答|解答|正解|选项|選項|選択肢|정답|답변|해답|답|보기|선택지|الإجابة|الجواب|إجابة|پاسخ|תשובה|התשובה|उत्तर|जवाब|উত্তর|คำตอบ|答',
).normalize('NFKC');

/** Words that may come between a cue and an option without changing the meaning. */
export const FILLER = either(
  ANSWER_NOUN,
  whole(
    'the|an?|la|el|le|les|die|der|das|den|il|lo|o|de|number|nummer|no\\.|therefore|thus|hence|then|clearly|definitely|certainly|' +
      'obviously|surely|most likely|likely|probably|indeed|simply|just|only|still|again|also|of course|best|correct|right|' +
      'final|indeed|i (?:think|believe|guess)|also|daher|donc|entonces|portanto|quindi|nämlich|wohl',
  ),
  '[:(\\[]',
);
/** The pattern at the end of a text, followed only by fillers and commas. */
const filled = (pattern: string) => `${pattern}\\s{0,3}(?:(?:${FILLER}|,)\\s{0,3}){0,6}$`;

/** Nothing but fillers. */
export const FILLED = new RegExp(`^\\s{0,3}(?:(?:${FILLER}|,)\\s{0,3}){0,6}$`, 'iu');

const COPULA = either(
  whole(
    'is|are|was|be|would be|must be|should be|ist|lautet|wäre|es|sería|est|serait|é|seria|è|sarebbe|это|является|' +
      'is going to be|adalah|ialah|yaitu|jest|är|er|je|este|είναι',
  ),
  '[:=\\-–—→]',
  '是|为|為|选择?|選擇?|应选|應選|は|が|은|는|이|가',
);

const regex = (pattern: string) => new RegExp(pattern, 'iu');

/** Before an option: a sentence states that it is the answer. */
export const ANNOUNCES = regex(filled(`${ANSWER_NOUN}[^.!?;。！？]{0,80}?${COPULA}`));
/** Before an option at the end of its clause: `Answer B`, or a heading with the option below it. */
export const HEADS = regex(`${ANSWER_NOUN}\\s{0,3}[\\])】.]?:?\\s{0,3}[([]?\\s{0,3}$`);
/** Before an option: what follows is a conclusion. */
export const CONCLUDES = regex(
  filled(
    either(
      whole(
        'so|thus|hence|therefore|consequently|accordingly|ergo|finally|final|conclusion|result|verdict|in (?:short|conclusion|summary)|' +
          'leav(?:es|ing)(?: us| me)?(?: only| just)?(?: with)?|left with|only|definitely|certainly|clearly|obviously|surely|' +
          'daher|somit|folglich|deshalb|demnach|bleibt(?: nur)?|sondern|' +
          'entonces|por (?:lo )?tanto|así que|luego|queda(?: solo)?|sino|' +
          'donc|ainsi|par conséquent|il (?:ne )?reste(?: que)?|' +
          'portanto|logo|então|assim|resta(?: apenas)?|senão|' +
          'quindi|dunque|pertanto|perciò|rimane(?: solo)?|bensì|' +
          'следовательно|значит|поэтому|итак|таким образом|остаётся|остается|' +
          'jadi|maka|oleh karena itu|dengan demikian|melainkan|dus|więc|zatem',
      ),
      `(?<=^\\s{0,3}|[,:]\\s{0,3})${whole('also')}`,
      '因此|所以|故|因而|综上(?:所述)?|于是|只有|只剩下?|而是|よって|したがって|従って|ゆえに|だから|つまり|すなわち|따라서|그러므로|그래서|결론적으로|즉|[∴⇒→]|[=-]>',
    ),
  ),
);
/** Before an option: a verb of choosing, or a copula without another subject. */
export const CHOOSES = regex(
  filled(
    either(
      whole(
        'pick(?:ed|ing)?|choos(?:e|ing)|chose|select(?:ed|ing)?|opt(?:ed|ing)? for|(?:go|going|goes|went) (?:with|for)|vote for|' +
          'settle(?:d)? (?:on|for)|stick(?:ing)? with|prefer|say|mark(?:ing)?|bet on|conclude(?: that)?|answer(?:ing)? with|' +
          "it(?:['’]s| is| must be| has to be| should be)|that(?:['’]s| is)|must be|has to be|have to be|should be|" +
          'wähle|nehme|entscheide mich für|tippe auf|richtig ist|korrekt ist|es ist|das ist|' +
          'elijo|escojo|selecciono|opto por|me quedo con|marco|sería|' +
          "choisis|prends|sélectionne|opte pour|j['’]opte pour|c['’]est|" +
          'escolho|seleciono|fico com|scelgo|seleziono|opto per|' +
          'выбираю|выберем|выбираем|kies|wybieram|memilih|pilih',
      ),
      '(?:选择?|選擇?|挑)项?',
    ),
  ),
);
/** Before an option: a copula at the start of a sentence or after a comma, as in `es C`. */
export const IS_ALONE = regex(
  `(?:^\\s{0,3}|[,:]\\s{0,3}|${whole('que|che|что|dass')} )${whole('es|è|é|это|ist|est|sea|sia')}\\s{0,3}(?:${FILLER}\\s{0,3}){0,3}$`,
);
/** Before an option: it is what remains, as in `the only one left is`. */
export const REMAINS = regex(filled(`${whole('only|left|remaining|remains')}[^.!?;,]{0,60}?${COPULA}`));
/**
 * Before an option: a sentence that starts with a conclusion and ends in a copula, as in `so the organelle is the`.
 */
export const CONCLUDED = regex(
  filled(
    `^\\s{0,3}${whole('so|thus|hence|therefore|somit|daher|also|folglich|deshalb|damit')}[^.!?;]{0,120}${COPULA}`,
  ),
);

/** Before an option: a denial or a correction, after which the answer follows. */
export const CORRECTS = regex(
  filled(
    either(
      whole('no|nope|wait|actually|rather|correction|update|nein|espera|attends|aspetta|нет|tunggu'),
      '不对|不對|いや|아니요?',
    ),
  ),
);
/** Before an option, after an option that was denied: it is the answer instead. */
export const BUT = regex(
  `^\\s{0,3},?\\s{0,3}(?:${whole('but|sondern|sino|mais|mas|ma|а|tetapi|melainkan')}|而是)\\s{0,3}(?:${FILLER}\\s{0,3}){0,3}$`,
);
/** Before an option: it is not the answer. */
export const DENIES = regex(
  `${either(
    whole(
      'not|never|neither|nor|neither is|nor is|except(?: for)?|(?:any|every)(?:thing|one) but|(?:all|any)(?: options?| choices?)? but|' +
        'rather than|instead of|over|than|other than|besides|unlike|without|versus|rul(?:e|es|ed|ing) out|eliminat\\p{L}*|exclud\\p{L}*|' +
        "reject\\p{L}*|discard\\p{L}*|dismiss\\p{L}*|cross(?:ed|ing)? out|against|(?:false|incorrect|wrong|not true|untrue)(?: that|:)|cannot be|cannot|(?:not|n['’]t) be|" +
        'nicht|keinesfalls|außer|statt|weder|noch|falsch:|ausschließen|' +
        'no (?:es|puede ser|elijo)|ni|excepto|salvo|en vez de|en lugar de|descart\\p{L}*|(?:incorrecta?|falsa?)s?:|' +
        "n['’]est pas|pas|sauf|au lieu de|élimin\\p{L}*|exclu\\p{L}*|" +
        'não(?: é| pode ser)?|nem|exceto|em vez de|elimin\\p{L}*|(?:incorreta|errada)s?:|' +
        'non(?: è| può essere)?|né|tranne|invece di|esclud\\p{L}*|sbagliat[ae]:|' +
        'не|ни|кроме|вместо|исключа\\p{L}*|(?:неверно|неправильно):|' +
        'bukan|tidak|kecuali|selain|daripada|salah:|niet|nie',
    ),
    "n['’]t(?!\\p{L})",
    '不是|不选择?|不選擇?|不应选?|并非|非|没有?|排除|除了|而非|而不是|错误:',
  )}\\s{0,3}(?:${FILLER}\\s{0,3}){0,6}$`,
);
/** The whole line before an option: a tick or a cross. */
export const MARKED_RIGHT = /^\s*[✓✔✅☑]\s*$/u;
export const MARKED_WRONG = /^\s*[✗✘❌×]\s*$/u;
/** Before a cue in the same clause: the cue is negated. */
export const DENIED_CUE = regex(
  `(?:${whole(
    'not(?! only)|never|cannot|no longer|(?<!no |without )doubt|unlikely|nicht|kein\\p{L}*|no(?! doubt)|jamais|não|non|не|bukan|tidak|ne',
  )}|n['’]t(?!\\p{L})|不|没|非)\\s{0,3}(?:\\p{L}{1,40}\\s{1,3}){0,3}$`,
);
/** Before an option in its clause: it may or may not be the answer. */
export const DOUBTS = regex(
  either(
    whole(
      'could|might|may|maybe|perhaps|possibly|either|unless|whether|between|torn|unsure|not sure|one of|' +
        'vielleicht|entweder|könnte|quizás?|tal vez|podría|peut-être|pourrait|talvez|poderia|forse|potrebbe|возможно|mungkin',
    ),
    '可能|也许|或许|もしかし|かもしれ|아마|어쩌면',
  ),
);
/** The start of a conditional sentence. */
export const SUPPOSES = regex(
  `^\\s{0,3}${whole('if|unless|suppose|assuming|wenn|falls|si|se|если|jika|kalau')}|^\\s{0,3}(?:如果|若|もし|만약)`,
);

/** After an option, in its clause: it is the answer. */
export const AFFIRMS = regex(
  `^\\s{0,3}${either(
    `(?:[:–—-]\\s{0,3})?(?:${whole(
      'is|are|was|must be|has to be|seems?(?: to be)?|looks|appears?(?: to be)?|ist|wäre|es|est|é|está|è|является|adalah|sounds',
    )}|[—–-])[^,.;]*?${whole(
      'correct|right|answers?|best|true|valid|choices?|pick|better|the one|only one|only (?:option|choice|possibility|answer)|most (?:likely|plausible|reasonable)|winner|' +
        'richtige?n?|korrekte?|beste|antwort|' +
        'correct[ao]s?|buena|mejor|adecuada|verdader[ao]|respuesta|' +
        'bonne|correcte?|juste|meilleure?|exacte?|vraie?|réponse|' +
        'corret[ao]|cert[ao]|melhor|verdadeir[ao]|resposta|' +
        'corrett[ao]|giust[ao]|esatt[ao]|migliore|risposta|' +
        'правильн\\p{L}*|верн\\p{L}*|ответ\\p{L}*|jawaban|jawabannya|pilihan|benar|tepat',
    )}`,
    whole(
      'remains?|is left|are left|fits?|works?|wins?|matches|stands|makes (?:the most )?sense|holds|suits|it is|is it|does|richtig|correcta|верно|правильно|benar',
    ),
    `[:–—-]\\s{0,3}(?:${whole('correct|right|true|yes|richtig|correcta|correto|corretto|верно|benar')}|正确|正解|[✓✔✅])`,
    '[✓✔✅☑]',
    `(?:${whole('the|die|der|das|la|el|le|a|o')} )?${whole(
      'correct|right|best|richtige|korrekte|correcta|bonne|correcte',
    )} ${ANSWER_NOUN}`,
    `${whole('correct|right|true|yes|richtig|correcta|correto|corretto|верно|benar')}\\s{0,3}$`,
    '(?:选?项|選?項)?(?:才?是)?(?:正确|正確|对的|對的|答案|最佳|正解|符合|合适|成立|满足)|(?:が|は)\\s{0,3}(?:正解|正し|答え|適切|最も)|(?:を|が)\\s{0,3}(?:選|えら)|(?:です|である|だ)(?!か)|' +
      '번?\\s{0,3}(?:가|이|은|는)?\\s{0,3}(?:정답|맞|옳|답)|번?\\s{0,3}(?:를|을)\\s{0,3}(?:선택|고르|택)|번?(?:입니다|이다|이에요|예요)',
  )}`,
);
/** After an option, in its clause: it is not the answer. */
export const REFUTES = regex(
  either(
    whole(
      'wrong|incorrect|false|not|never|cannot|impossible|invalid|(?:is|are|ruled) out|eliminated|excluded|ruled|rejected|fails?|failed|untrue|' +
        'worse|bad|unlikely|improbable|no|nicht|falsch|keine?|unrichtig|ausgeschlossen|scheidet|' +
        'incorrect[ao]s?|fals[ao]s?|erróne[ao]s?|equivocad[ao]s?|descartad[ao]s?|' +
        "pas|faux|fausse|incorrecte?|erronée?|éliminée?|n['’]est|" +
        'não|errad[ao]s?|incorret[ao]s?|non|sbagliat[ao]|errat[ao]|scorrett[ao]|не|неверн\\p{L}*|неправильн\\p{L}*|ошибоч\\p{L}*|' +
        'bukan|salah|tidak|keliru',
    ),
    "n['’]t(?!\\p{L})",
    '错|錯|不|非|误|誤|排除|ではな|じゃな|でない|違|間違|不正解|아니|아닙|틀|오답|않|[✗✘❌×]',
  ),
);
/** Directly after an option that was stated as the answer: the statement is retracted. */
export const REFUTES_AT_ONCE = regex(
  `^\\s{0,3}(?:${either(
    `${COPULA}\\s{0,3}(?:\\p{L}{1,40}\\s{1,3}){0,2}${whole(
      'not|wrong|incorrect|false|out|impossible|nicht|falsch|incorrecta?|falsa?|faux|fausse|errada|sbagliata|неверн\\p{L}*|salah|bukan',
    )}`,
    `${COPULA}n['’]t(?!\\p{L})`,
    whole("isn['’]t|can['’]t|cannot|no longer|est pas|não é|non è|no es"),
    '[가이은는]?\\s{0,3}(?:아니|아닙|틀)|(?:は|で|が)\\s{0,3}(?:ない|はな|はありません|誤|違|間違|不正解)|(?:是|为)?(?:错|錯|不对|不是|误)',
  )})|[✗✘❌×]`,
);
/** After an option: it may be the answer, or is one in some cases. */
export const MAY_BE = regex(
  either(whole('would|could|might|may|unless|if|maybe|perhaps|possibly'), '可能|かもしれ|でしょうか|일 ?수'),
);
/** The same, directly after an option that was stated as the answer. */
export const MAY_BE_AT_ONCE = /^\s*(?:if|unless|maybe|perhaps|possibly)(?!\p{L})/u;
/** After an option: it is one more answer. */
export const ADDS = regex(
  either(
    whole('also|too|as well|likewise|equally|auch|ebenfalls|también|aussi|também|anche|также|тоже|juga'),
    '也|も|도',
  ),
);
/** At the start of the words before an option: it is one more answer. */
export const OR_ELSE = regex(
  `^[\\s.,;—–(-]*(?:${whole(
    "(?:but )?(?:possibly|perhaps|maybe)|if not|if (?:that|this|it) (?:is|isn['’]t|is not|were)|or|and|also|alternatively|otherwise|oder|und|o|y|ou|et|oppure|e|или|и|atau|dan",
  )}|[/&|]|或|和|または|또는)`,
);
/** Before an option at the end of its clause: it may be the answer too. */
export const MAYBE_TOO = regex(
  filled(
    either(
      whole(
        '(?:could|might|may)(?: also| well| just as well)? be|maybe|perhaps|possibly|if not|otherwise|else|' +
          'vielleicht|quizás?|tal vez|peut-être|talvez|forse|возможно|mungkin',
      ),
      '可能是?|也许是?|或许是?|아마',
    ),
  ),
);

/** Between two decisions: the earlier one is retracted. */
export const RETRACTS = regex(
  either(
    whole(
      'wait|actually|correction|instead(?! of)|mistake|rather(?! than)|no|but|however|yet|sorry|scratch that|on second thought|hold on|' +
        'moment|nein|aber|sondern|espera|sino|pero|attends|mais|espere|mas|aspetta|ma|нет|но|tunggu|tapi|tetapi',
    ),
    '不对|不對|等等|不,|但|而是|いや|待って|しかし|아니|하지만',
  ),
);
/** The same, explicit enough for a less clear decision to replace a box or a stated answer. */
export const RETRACTS_CLEARLY = regex(
  either(
    `(?:^|[.!?,;:\\n⟧]\\s{0,3})${whole('no|nope|wait|actually|hmm+|correction|sorry|scratch that|on second thought|hold on|nein|espera|attends|aspetta|нет|tunggu')}`,
    whole(
      "(?:that|this|which) (?:is|was) (?:wrong|incorrect|not right)|that['’]s (?:wrong|incorrect|not right)|mistake|my bad",
    ),
    '不对|不對|等等|错了|いや|待って|間違え|아니요|잠깐',
  ),
);

/** Between options that are listed together. */
export const JOINT = regex(
  `^⟧? ?[)\\]]?\\s{0,3}${either(
    '[,/&+、·|]',
    `[,(]?\\s{0,3}${whole(
      'and|or|and/or|but also|as well as|und|oder|bzw|y|o|u|e|ou|et|ed|od|и|или|dan|atau|en|of|i|lub|ve|veya|và|hoặc|maybe|perhaps|possibly|alternatively',
    )}`,
    '[,(]?\\s{0,3}(?:和|与|與|及|或者?|以及|还是|と|や|または|か|もしくは|와|과|또는|이나|나|하고|혹은)',
  )}\\s{0,3}(?:${whole('and|or|maybe|perhaps|possibly|also|even|either')}\\s{0,3}){0,6}(?:${ANSWER_NOUN}\\s{0,3})?[([]?\\s{0,3}⟦?$`,
);
