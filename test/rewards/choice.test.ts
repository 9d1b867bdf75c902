import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choicesIn } from '../../rewards/choice/decision.ts';
import type { Option } from '../../rewards/choice/text.ts';

const lettered = (texts: string[]): Option[] =>
  texts.map((text, place) => ({ label: String.fromCharCode(65 + place), text }));

const cars = lettered(['a train', 'a car', 'a plane', 'a boat']);
const cell = lettered(['Ribosome', 'Mitochondria', 'Golgi apparatus', 'Nucleus']);

/** The labels of the options that a text chooses. */
const chosen = (text: string, options: readonly Option[]) =>
  choicesIn(text, options)
    .map((place) => options[place]?.label)
    .sort()
    .join('');

function check(options: readonly Option[], expected: Record<string, string[]>) {
  for (const [labels, texts] of Object.entries(expected)) {
    for (const text of texts) assert.equal(chosen(text, options), labels === 'none' ? '' : labels, text);
  }
}

test('usual sentences choose one option, hedges none or several', () => {
  check(cars, {
    B: [
      'Looking at the choices, I believe the answer is (B).',
      'B',
      'Step 1: A train needs rails. Step 2: cars do not.\n\nSo the answer is **B**.',
      'My answer would be B.',
      'Answer is B',
      'Ans: B',
      'Ans. B',
      'B is the answer',
      'I am confident that B is correct.',
      'We can conclude that option B is the right choice.',
      'The correct letter is B.',
      'Let me pick: B',
      'Choose B.',
      'Select option B',
      'Final: B',
      'Final Answer: B',
      'Final Answer - (B)',
      'After careful thought, option B it is.',
      'B it is.',
      'It must be B.',
      'The answer has to be B.',
      'It can only be B.',
      'A, C and D can be ruled out, leaving only B.',
      'Since A, C, and D are incorrect, the answer is B.',
      'Options A, C and D are all wrong; B is right.',
      'A: wrong\nB: right\nC: wrong\nD: wrong',
      'A) ✗ B) ✓ C) ✗ D) ✗',
      '(A) false (B) true (C) false (D) false',
      'A. a train - incorrect, it needs rails.\nB. a car - correct.\nC. a plane - incorrect.\nD. a boat - incorrect.',
      'A is incorrect because it needs rails. B is correct because it has wheels. C is incorrect. D is incorrect.',
      'The answer is B, a car.',
      'The answer: B — a car',
      '\\boxed{B}\n\nExplanation: A needs rails, C flies.',
      'The answer is \\boxed{\\textbf{B}}.',
      '\\[\\boxed{B}\\]',
      '$$\\boxed{\\mathrm{B}}$$',
      '\\boxed{\\text{B. a car}}',
      '\\boxed{(B)\\ \\text{a car}}',
      'Thus the answer is choice B.',
      '**B**',
      '__B__',
      '`B`',
      '“B”',
      'Answer: "B"',
      "Answer: 'B'",
      'Answer:\n\nB',
      'The answer is:\n\n**B**',
      'Answer: B\n\nConfidence: 90%',
      'Answer: B. Explanation: A car has wheels.',
      'ANSWER: b',
      'answer b',
      'the correct option is b) a car',
      'Hence, the correct answer is Option B: a car.',
      'Therefore, Option B',
      '→ B',
      '=> B',
      '∴ B',
      "Let's go with B.",
      'B, I think.',
      'B!',
      'B :)',
      'Probably B.',
      'I think B.',
      'I think it is B.',
      'I believe B is correct.',
      'Not A. Not C. Not D. So B.',
      'It cannot be A, since that needs rails. It cannot be C or D. B.',
      'Wait, actually B.',
      'Hmm, A? No. B.',
      'The answer is A... no, B.',
      'A - no wait, B',
      'Correction: B',
      'The answer is A. Correction: the answer is B.',
      'At first I thought A, but B is better.',
      'Answer: B\nC flies.',
      'Answer: B\nC. a plane flies.',
      '\\boxed{B}\n\nC. flies',
      'B. B. B.',
      'B\nB',
      'A: no\nB: yes\nC: no\nD: no',
      '✗ A\n✓ B\n✗ C\n✗ D',
      'The correct answer is B.\n\nA: Trains need rails.\nC: Planes fly.\nD: Boats float.',
      '(B) a car\n\nReasoning: (A) needs rails; (C) flies; (D) floats.',
      'Let me evaluate.\nA) needs rails\nB) fine\nC) flies\nD) floats\n\nB',
      'A needs rails, so A is out. C flies. D floats. I am left with B.',
      'The answer cannot be A or C. D is wrong too. So B.',
      'D is wrong. So B, not A.',
      'The answer is **B. a car**, since it needs no rails.',
      '**Answer: B) a car**',
      'Answer: **(B)** a car',
      'The answer is B and not A.',
      'The answer is B but not C.',
      'The answer is B, never C.',
      'A es incorrecta y B es correcta.',
    ],
    none: [
      'Could be B',
      'Maybe B?',
      'BD',
      'Not B',
      "It isn't B",
      'B is not right',
      "B doesn't work",
      'B fails',
      'The answer is anything but B.',
      'Everything except B',
      'Neither A nor B is correct.',
      "I don't think the answer is B.",
      'I would not choose B.',
      "I wouldn't go with B.",
      'There is no way it is B.',
      'B is never correct.',
      'It is false that B is correct.',
      'B would be correct if it flew.',
      'If B is correct, then A is wrong.',
      'Is it B?',
      'Why B?',
      'B? Hmm.',
      'A lot of people say so.',
    ],
    BD: ['B and D', 'B & D', 'B, D', 'B is the answer. D is the answer.'],
    BCD: ['The answer is B, C or D'],
    BC: [
      'The answer is B. It could also be C.',
      'The answer is B. Or C.',
      'The answer is B; C is equally valid.',
      'I choose B. I choose C.',
      'Answer: B. Answer: C.',
      'Final answer: B. Alternative answer: C.',
      '\\boxed{B}, \\boxed{C}',
      '\\boxed{B} (or \\boxed{C})',
      'Any of B, C works.',
      'Both B and C fit.',
      '\\boxed{B} and also C',
      '\\boxed{B} or C',
      'My answer: B and/or C',
    ],
    ABCD: ['All of A, B, C and D are correct.', 'A. B. C. D.'],
  });
});

test('sentences in other languages choose options too', () => {
  check(cars, {
    B: [
      'The best answer is B) a car',
      '\\boxed{A} Wait, I made a mistake. \\boxed{B}',
      'Antwort: B) ein Auto',
      'Die Antwort lautet (B).',
      'Die korrekte Antwort ist Option B.',
      'Somit ist B die richtige Antwort.',
      'Richtige Antwort: B',
      'B ist die richtige Antwort.',
      'Ich denke, es ist B.',
      'Also ist B richtig.',
      'A ist falsch, B ist richtig.',
      'Weder A noch C, sondern B.',
      'La opción correcta es la B.',
      'La respuesta es B) un coche.',
      'Respuesta correcta: B',
      'Respuesta final: B',
      'Por lo tanto, la respuesta es B.',
      'Creo que es B.',
      'Es la B.',
      'B es la respuesta correcta.',
      'Me quedo con B.',
      'Ni A ni C; es B.',
      'La réponse correcte est la B.',
      'La réponse est donc B.',
      "La réponse correcte est l'option B.",
      'Réponse finale : B',
      'B est la bonne réponse.',
      "Ce n'est pas A, c'est B.",
      'A resposta é a letra B.',
      'A resposta certa é a opção B.',
      'Gabarito: B',
      'Alternativa B',
      'B é a resposta correta.',
      'Resposta final: B',
      'A alternativa A está errada; a B está correta.',
      'La risposta giusta è B.',
      'Risposta corretta: B',
      "L'opzione corretta è la B.",
      'È la B.',
      'B è corretta.',
      'Правильный ответ: B.',
      'Ответ — B.',
      'Итак, ответ: B',
      'Верный вариант: B',
      'B — правильный ответ.',
      'Это B.',
      'A неверно, B верно.',
      '答えはB',
      '正解はB。',
      '正解は「B」です。',
      '答え: (B)',
      '選択肢Bが正しい。',
      'Bが正しいです。',
      'Aは間違いで、Bが正解。',
      '正しい答えはBです。',
      '最終的な答えはBです。',
      'したがって、正解はBです。',
      'Bです。',
      'AではなくBです。',
      '정답은 B',
      '답은 B입니다.',
      '정답: (B)',
      '정답은 B번입니다.',
      '따라서 B입니다.',
      'B가 맞습니다.',
      'A는 틀렸고 B가 정답입니다.',
      'A가 아니라 B입니다.',
      '답변: B',
      'Jawaban yang benar adalah B',
      'Jawaban: B. mobil',
      'Jadi jawabannya B.',
      'Pilihan B benar.',
      'Jawaban akhir: B',
      'Maka, B.',
      'B adalah jawaban yang tepat.',
      'Bukan A, melainkan B.',
      '正确答案：**B**',
      '答：B',
      '我认为答案是B',
      '答案选择B',
      '最终选择：B',
      '所以，B。',
      '因此B正确',
      '只有B符合。',
      '不是A，而是B。',
      '答案：Ｂ',
      '选项B是正确答案。',
      'Cevap: B',
      'Đáp án: B',
      'Odpowiedź: B',
      'Antwoord: B',
      'الإجابة: B',
      'उत्तर: B',
      'คำตอบ: B',
    ],
    AB: ['A o B'],
    none: ['No es la B.', 'Bは誤りです。', '可能是B。', 'B不对。'],
    BC: ['BかCです。'],
  });
});

test('letters of ten options may be words', () => {
  check(lettered(['gold', 'iron', 'zinc', 'lead', 'tin', 'neon', 'iodine', 'cobalt', 'silver', 'nickel']), {
    none: ['I am not sure about it.', 'I do not know.', 'So I guess it floats.'],
    F: ['As I computed, the answer is F.'],
    I: ['I pick I.', 'I'],
    E: ['The answer is E', 'E.'],
    B: ['The element is iron'],
    BE: ['It is made of iron and tin'],
  });
});

test('texts of options may name letters or numerals', () => {
  check(lettered(['I only', 'II only', 'Both I and II', 'Neither I nor II']), {
    C: ['C. Both I and II', 'Both I and II', 'The answer is C', 'Both I and II are correct, so C.'],
    A: ['The answer is I only'],
    D: ['Neither I nor II'],
  });
});

test('texts of options may name other options', () => {
  check(lettered(['the sun', 'the moon', 'Both A and B', 'None of the above']), {
    C: ['C', 'Both A and B', 'The answer is C, both A and B.'],
    D: ['None of the above', 'The answer is D. None of the above'],
    A: ['A'],
  });
});

test('options that are numbers are distinguished', () => {
  check(lettered(['0.5', '5', '50', '500']), {
    B: ['5', 'The answer is 5.', 'I get 5 kg.', '\\boxed{5}'],
    C: ['The answer is 50', '5 * 10 = 50, so the answer is 50.'],
    A: ['0.5'],
  });
});

test('labels may be numbers', () => {
  check(
    ['red', 'green', 'blue', 'grey'].map((text, place) => ({ label: String(place + 1), text })),
    {
      '2': ['2', 'The answer is 2', 'Option 2', '(2)', '2. green', 'green'],
      '1': ['3 of them are red'],
    },
  );
});

test('texts of options may be short words', () => {
  check(lettered(['Yes', 'No']), {
    A: ['Yes'],
    B: ['No', 'The answer is No.', 'B'],
  });
});

test('texts of options may be truth values', () => {
  check(lettered(['True', 'False']), {
    B: ['False', 'The statement is false.', 'The answer is False'],
    A: ['A. True', 'True'],
  });
});

test('texts in a script without spaces are found', () => {
  check(lettered(['火车', '汽车', '飞机', '船']), {
    B: [
      '汽车',
      '答案是汽车。',
      '答案是B，汽车。',
      '选B：汽车',
      '所以选汽车。',
      '火车需要轨道，飞机会飞，船在水上，所以答案是B。',
      'B. 汽车',
      '这道题选择B选项。',
      '正确选项为：B',
      '因此，正确答案是选项B。',
      '【答案】B',
      '答案：(B)',
      '本题答案为B',
      'B项正确，A、C、D项错误。',
      'A、C、D都不对，所以B。',
      '故本题选B。',
      '应该选A，不，应该选B。',
    ],
    ABCD: ['A. 火车\nB. 汽车\nC. 飞机\nD. 船'],
    none: ['不是汽车'],
    BD: ['汽车或船'],
  });
});

test('text around an answer does not change it', () => {
  const before = [
    'The ribosome makes proteins, and the nucleus stores DNA. ',
    'A is wrong because ribosomes make proteins.\n',
    'A. Ribosome - makes proteins\nB. Mitochondria - makes ATP\nC. Golgi apparatus - packs\nD. Nucleus - DNA\n\n',
    'It cannot be A, C, or D. ',
    'Is it A? No. Is it C? No. ',
    'There is no other organelle that could do so. ',
    'Vitamin B12 is not relevant here. ',
    'A cell has many organelles. ',
  ];
  const answers = [
    'The answer is B.',
    'The correct answer is (B) Mitochondria.',
    '**Answer: B**.',
    '\\boxed{B}',
    'The answer is the mitochondria.',
    'The best choice is B.',
    'So I would pick B.',
    'Hence B is correct.',
    'Only B remains.',
  ];
  const after = [
    '',
    ' This is because it makes ATP.',
    '\n\nThe ribosome makes proteins.',
    ' A, C and D are wrong.',
    '\n\nA: makes proteins. C: packs. D: stores DNA.',
    ' Note that A is a common distractor.',
    ' If the question were about proteins, A would be correct.',
    ' No other option fits.',
    ' A cell needs ATP.',
  ];
  for (const first of before) {
    for (const answer of answers) {
      for (const last of after) assert.equal(chosen(first + answer + last, cell), 'B', first + answer + last);
    }
  }
});

test('a second answer without a correction between them does not replace the first', () => {
  const say = (label: string) => [
    `The answer is ${label}.`,
    `\\boxed{${label}}`,
    `I choose ${label}.`,
    `So ${label}.`,
    `${label} is correct.`,
    `Option ${label} is right.`,
    `Respuesta: ${label}`,
  ];
  for (const [kind, first] of say('B').entries()) {
    const second = say('C')[kind] ?? '';
    for (const between of [
      ' ',
      '\n',
      ' Or ',
      ' or maybe ',
      ' / ',
      ' Also, ',
      ' Alternatively, ',
      ' and ',
      ' If not, ',
    ]) {
      assert.notEqual(chosen(first + between + second, cell).length, 1, first + between + second);
    }
    for (const between of [' Wait, no. ', ' No, that is wrong. ', '\nActually, I made a mistake: ']) {
      assert.equal(chosen(first + between + second, cell), 'C', first + between + second);
    }
  }
});
