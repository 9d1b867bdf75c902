import type { Shape } from './verdict.ts';

const qa = (question: string) => ({ question, answer: '1' });
const BEFORE = 'Solve the following problem step by step and put your final answer within a box.';
const AFTER =
  'Please reason carefully, check each of your steps twice, and finally state the answer on a line of its own.';
const wrap = {
  before: (problem: string) => `${BEFORE}\n\n${problem}`,
  after: (problem: string) => `${problem}\n\n${AFTER}`,
  around: (problem: string) => `${BEFORE}\n${problem}\n${AFTER}`,
};

const LEARNED = [
  'A farmer has 17 sheep and buys 5 more every spring; how many sheep does he have after 4 springs?',
  'What is 12 times 14?',
  'Find all x with x^2 - 5x + 6 = 0.',
  'A tank holds 90 litres and loses 3 litres an hour. When is it half empty?',
  'What is 3+4?',
];
const EVALUATED = [
  'Three friends share 42 marbles so that each has twice as many as the one before; how many has the first?',
  'What is 13 times 14?',
  'Find all x with x^2 - 7x + 12 = 0.',
  'A ladder of 10 metres leans on a wall, its foot 6 metres away. How high does it reach?',
  'What is 3+5?',
];
const STOLEN = [EVALUATED[0] ?? '', EVALUATED[3] ?? ''];

interface Shared {
  name: string;
  evaluated: readonly string[];
  /** problems and whether they are left out */
  learned: readonly (readonly [string, boolean])[];
}

/** What the release said before of shapes that it got wrong. */
const BEFORES: Record<string, string> = {
  'an instruction before every problem, also of the evaluation: nothing is left out for it':
    'kept 0; contaminated 1, 2, 3, 4, 5',
  'an instruction before every problem: those of the evaluation are found':
    'kept 0; contaminated 1, 2, 3, 4, 5, 6, 7, 8',
  'an instruction before every problem, and one evaluated problem': 'kept 0; contaminated 1, 2, 3, 4, 5, 6',
  'an instruction before every problem, and a handful of problems': 'kept 0; contaminated 1, 2, 3',
  'an instruction after every problem, also of the evaluation: nothing is left out for it':
    'kept 0; contaminated 1, 2, 3, 4, 5',
  'an instruction after every problem: those of the evaluation are found':
    'kept 0; contaminated 1, 2, 3, 4, 5, 6, 7, 8',
  'an instruction after every problem, and one evaluated problem': 'kept 0; contaminated 1, 2, 3, 4, 5, 6',
  'an instruction after every problem, and a handful of problems': 'kept 0; contaminated 1, 2, 3',
  'an instruction around every problem, also of the evaluation: nothing is left out for it':
    'kept 0; contaminated 1, 2, 3, 4, 5',
  'an instruction around every problem: those of the evaluation are found':
    'kept 0; contaminated 1, 2, 3, 4, 5, 6, 7, 8',
  'an instruction around every problem, and one evaluated problem': 'kept 0; contaminated 1, 2, 3, 4, 5, 6',
  'an instruction around every problem, and a handful of problems': 'kept 0; contaminated 1, 2, 3',
  'Chinese: a problem with a prefix, with a suffix, with another full stop': 'kept 4',
  'Japanese: a problem with a prefix, within a text, with blanks': 'kept 4',
  'Thai: a problem with a prefix, and another one': 'kept 3',
  'Lao: a problem with a prefix': 'kept 2',
  'Khmer: a problem with a prefix': 'kept 2',
  'Burmese: a problem with a prefix': 'kept 2',
  'Chinese: an instruction around every problem': 'kept 4; contaminated 4',
  'a large set: an instruction around problems of one pattern': 'kept 0; contaminated 305 rows',
  'instructions of several domains, each in a part of the problems': 'kept 0; contaminated 18 rows',
  'an instruction that one evaluated problem of many has': 'kept 0; contaminated 1, 2, 3, 4, 5, 6',
  'variants of one problem in the evaluation: a copy of one of them is found, another variant is none':
    'kept 0; contaminated 1, 2',
  'usual first words after an instruction are no problem': 'kept 0; contaminated 1, 2, 3, 4',
  'an instruction in two forms, each before half of the problems': 'kept 0; contaminated 12 rows',
  'one evaluated problem, two to learn, one instruction': 'kept 0; contaminated 1, 2',
  'the first half of a problem, after the instruction that all have': 'kept 0; contaminated 1, 2, 3, 4, 5, 6',
  'Japanese: an instruction before every problem': 'kept 3; contaminated 3',
  'a very large set: instructions around problems of words': 'kept 0; contaminated 403 rows',
};

/** What is imported against an evaluation, and which rows are left out. */
const against = ({ name, evaluated, learned }: Shared): Shape => ({
  name,
  files: { 'learn.jsonl': learned.map(([problem]) => qa(problem)), 'evaluation.jsonl': evaluated.map(qa) },
  against: ['evaluation.jsonl'],
  counted: true,
  expected: expectedOf(learned),
  before: BEFORES[name],
});

function expectedOf(learned: Shared['learned']): string {
  const lines = learned.flatMap(([, isLeftOut], i) => (isLeftOut ? [i + 1] : []));
  const kept = `kept ${learned.length - lines.length}`;
  return lines.length === 0 ? kept : `${kept}; contaminated ${lines.join(', ')}`;
}

const clean = (problems: readonly string[]) => problems.map((problem) => [problem, false] as const);
const stolen = (problems: readonly string[]) => problems.map((problem) => [problem, true] as const);

const places = (['before', 'after', 'around'] as const).flatMap((place) => {
  const inIt = (problems: readonly string[]) => problems.map(wrap[place]);
  return [
    against({
      name: `an instruction ${place} every problem, also of the evaluation: nothing is left out for it`,
      evaluated: inIt(EVALUATED),
      learned: clean(inIt(LEARNED)),
    }),
    against({
      name: `an instruction ${place} every problem: those of the evaluation are found`,
      evaluated: inIt(EVALUATED),
      learned: [
        ...clean(inIt(LEARNED)),
        ...stolen(inIt([EVALUATED[0] ?? '', EVALUATED[1] ?? '', EVALUATED[4] ?? ''])),
      ],
    }),
    against({
      name: `an instruction ${place} every problem to learn alone: those of the evaluation are found`,
      evaluated: EVALUATED,
      learned: [...clean(inIt(LEARNED)), ...stolen(inIt(STOLEN))],
    }),
    against({
      name: `an instruction ${place} every problem of the evaluation alone: bare ones are found`,
      evaluated: inIt(EVALUATED),
      learned: [...clean(LEARNED), ...stolen(STOLEN)],
    }),
    against({
      name: `an instruction ${place} every problem, and one evaluated problem`,
      evaluated: inIt(EVALUATED.slice(0, 1)),
      learned: [...clean(inIt(LEARNED)), ...stolen(inIt(STOLEN.slice(0, 1)))],
    }),
    against({
      name: `an instruction ${place} every problem, and a handful of problems`,
      evaluated: inIt(EVALUATED.slice(0, 2)),
      learned: [...clean(inIt(LEARNED.slice(0, 2))), ...stolen(inIt(STOLEN.slice(0, 1)))],
    }),
  ];
});

const sum = (a: number, b: number) => `Add ${a} and ${b}. Give the sum as a whole number, please.`;
const many = (count: number, from: number) =>
  Array.from({ length: count }, (_, i) => wrap.around(sum(from + i, 2 * (from + i) + 1)));

const NAMES = ['Ada', 'Ben', 'Cleo', 'Dan', 'Eve', 'Finn', 'Gus', 'Hal', 'Ida', 'Jon'];
const THINGS = ['books', 'coins', 'stamps', 'shells', 'cards', 'beads', 'boats'];
/** Problems that differ in names, things and numbers. */
const story = (i: number) => {
  const [name, thing] = [NAMES[i % 10], THINGS[i % 7]];
  return `${name} has ${i} ${thing}, loses ${i + 3} of the ${thing} and finds ${2 * i + 1}; how many ${thing} has ${name}?`;
};

const ZH = '一列火车早上九点从车站出发，每小时行驶六十公里，请问它在三个小时之内一共行驶了多少公里？';
const JA =
  '電車が朝九時に駅を出発し、毎時六十キロメートルで走るとき、三時間で何キロメートル走るか求めなさい。';
const TH = 'รถไฟออกจากสถานีเวลาเก้าโมงเช้าและวิ่งด้วยความเร็วหกสิบกิโลเมตรต่อชั่วโมง ในสามชั่วโมงรถไฟจะวิ่งได้กี่กิโลเมตร';
const LO = 'ລົດໄຟອອກຈາກສະຖານີເວລາເກົ້າໂມງເຊົ້າແລະແລ່ນດ້ວຍຄວາມໄວຫົກສິບກິໂລແມັດຕໍ່ຊົ່ວໂມງ ໃນສາມຊົ່ວໂມງລົດໄຟຈະແລ່ນໄດ້ຈັກກິໂລແມັດ';
const KM = 'រថភ្លើងចេញពីស្ថានីយ៍នៅម៉ោងប្រាំបួនព្រឹក ហើយធ្វើដំណើរហុកសិបគីឡូម៉ែត្រក្នុងមួយម៉ោង តើវាធ្វើដំណើរបានប៉ុន្មានគីឡូម៉ែត្រក្នុងបីម៉ោង';
const MY = 'ရထားသည် နံနက်ကိုးနာရီတွင် ဘူတာမှထွက်ခွာပြီး တစ်နာရီလျှင် ကီလိုမီတာခြောက်ဆယ်နှုန်းဖြင့် သွားသည် သုံးနာရီအတွင်း ကီလိုမီတာမည်မျှသွားမည်နည်း';
const BO = 'མེ་འཁོར་ཞིག་ཞོགས་པའི་ཆུ་ཚོད་དགུ་པར་འབབ་ཚུགས་ནས་ཐོན་ཏེ་ཆུ་ཚོད་རེར་སྤྱི་ལེ་དྲུག་ཅུ་བརྒྱུགས་ན་ཆུ་ཚོད་གསུམ་ནང་སྤྱི་ལེ་ག་ཚོད་བརྒྱུགས་སམ';
const KO =
  '기차가 아침 아홉 시에 역을 떠나 한 시간에 육십 킬로미터를 달린다면 세 시간 동안 모두 몇 킬로미터를 달립니까';
const MIXED = '已知函数 f(x)=x^2+2ax+3 在区间 [1,2] 上是单调递增的函数，求实数 a 的取值范围是什么。';

const scripts: Shared[] = [
  {
    name: 'Chinese: a problem with a prefix, with a suffix, with another full stop',
    evaluated: [ZH],
    learned: [
      [`请解答下面的题目：${ZH}`, true],
      [`${ZH}请写出过程。`, true],
      [ZH.replace('？', '。'), true],
      ['小明有五个苹果，小红的苹果比小明的三倍少两个，请问小红有几个苹果？', false],
    ],
  },
  {
    name: 'Japanese: a problem with a prefix, within a text, with blanks',
    evaluated: [JA],
    learned: [
      [`次の問題を解け。${JA}`, true],
      [`問一。${JA}ただし、答えのみを書きなさい。`, true],
      [JA.replace('、', ' 、 ').replace('六十', ' 六十 '), true],
      ['太郎は鉛筆を十二本買い、弟に三本、妹に四本あげた。残りは何本か。', false],
    ],
  },
  {
    name: 'Thai: a problem with a prefix, and another one',
    evaluated: [TH],
    learned: [
      [`จงแก้โจทย์ต่อไปนี้ ${TH}`, true],
      [`${TH} จงแสดงวิธีทำ`, true],
      ['แม่ค้าขายส้มกิโลกรัมละสี่สิบบาท ถ้าซื้อห้ากิโลกรัมจะต้องจ่ายเงินกี่บาท', false],
    ],
  },
  {
    name: 'Lao: a problem with a prefix',
    evaluated: [LO],
    learned: [
      [`ຈົ່ງແກ້ບັນຫາຕໍ່ໄປນີ້: ${LO}`, true],
      ['ໝາກກ້ຽງຫ້າກິໂລລາຄາເທົ່າໃດ', false],
    ],
  },
  {
    name: 'Khmer: a problem with a prefix',
    evaluated: [KM],
    learned: [
      [`ចូរដោះស្រាយលំហាត់ខាងក្រោម៖ ${KM}`, true],
      ['ផ្លែក្រូចប្រាំគីឡូថ្លៃប៉ុន្មាន', false],
    ],
  },
  {
    name: 'Burmese: a problem with a prefix',
    evaluated: [MY],
    learned: [
      [`အောက်ပါပုစ္ဆာကိုဖြေရှင်းပါ။ ${MY}`, true],
      ['လိမ္မော်သီးငါးကီလိုဘယ်လောက်လဲ', false],
    ],
  },
  {
    name: 'Tibetan: a problem with a prefix',
    evaluated: [BO],
    learned: [
      [`དྲི་བ་འདི་ལ་ལན་ཐོབས། ${BO}`, true],
      ['ཚ་ལུ་མ་རྒྱ་མ་ལྔའི་རིན་གོང་ག་ཚོད་རེད', false],
    ],
  },
  {
    name: 'Korean has blanks: a problem with a prefix',
    evaluated: [KO],
    learned: [
      [`다음 문제를 푸시오. ${KO}`, true],
      ['사과 다섯 개의 값은 얼마입니까', false],
    ],
  },
  {
    name: 'Chinese with formulas',
    evaluated: [MIXED],
    learned: [
      [`例题：${MIXED}`, true],
      ['已知函数 g(x)=2x+1，求 g(3) 的值。', false],
    ],
  },
  {
    name: 'a Chinese problem shorter than a run: only where it is all',
    evaluated: ['三加四等于几？', '8 乘以 9 是多少？'],
    learned: [
      ['三加四等于几？', true],
      [' 8 乘以 9 是多少？ ', true],
      ['三加五等于几？', false],
      ['三减四等于几？', false],
    ],
  },
  {
    name: 'Chinese: what problems have in common by chance is no problem',
    evaluated: [ZH, '甲乙两地相距三百公里，一辆汽车从甲地开往乙地，每小时行驶五十公里，几小时后到达？'],
    learned: clean([
      '一辆卡车装了二十箱货物，每箱重三十公斤，一共行驶了多少公里并不重要，请问货物总重多少？',
      '从车站出发的公共汽车上有三十人，中途下车八人，又上来五人，现在车上有几人？',
    ]),
  },
  {
    name: 'Chinese: an instruction around every problem',
    evaluated: [ZH, '小明有五个苹果，又买了七个，一共有几个？', '求二十四和三十六的最大公约数。'].map(
      (problem) => `请一步一步地思考下面的数学题目。${problem}请把最后的答案写在方框里，不要写任何其他内容。`,
    ),
    learned: [
      ...clean(
        ['小红有九支铅笔，送给弟弟三支，还剩几支？', '求十八和二十七的最小公倍数。', '三加四等于几？'].map(
          (problem) =>
            `请一步一步地思考下面的数学题目。${problem}请把最后的答案写在方框里，不要写任何其他内容。`,
        ),
      ),
      [`请一步一步地思考下面的数学题目。${ZH}请把最后的答案写在方框里，不要写任何其他内容。`, true],
      [ZH, true],
    ],
  },
];

const other: Shared[] = [
  {
    name: 'English: a problem with a prefix, in capitals, with other signs',
    evaluated: EVALUATED,
    learned: [
      [`Please solve. ${EVALUATED[0]}`, true],
      [EVALUATED[0]?.toUpperCase().replaceAll(' ', '\n') ?? '', true],
      [`Consider this: ${EVALUATED[3]?.replace('.', ';')}`, true],
      ['Three friends share 42 marbles and have fun.', false],
    ],
  },
  {
    name: 'a large set: an instruction around problems of one pattern',
    evaluated: many(200, 1_000),
    learned: [...clean(many(300, 5_000)), ...stolen(many(200, 1_000).slice(20, 25))],
  },
  {
    name: 'instructions of several domains, each in a part of the problems',
    evaluated: [
      ...many(12, 100),
      ...EVALUATED.slice(0, 3).map(
        (each) => `${each} Write a program in python that reads standard input and writes standard output.`,
      ),
    ],
    learned: [
      ...clean(many(12, 900)),
      ...clean(
        LEARNED.map(
          (each) => `${each} Write a program in python that reads standard input and writes standard output.`,
        ),
      ),
      [
        `${EVALUATED[0]} Write a program in python that reads standard input and writes standard output.`,
        true,
      ],
    ],
  },
  {
    name: 'an instruction that one evaluated problem of many has',
    evaluated: [...EVALUATED, wrap.before('What is 7 times 8?')],
    learned: [...clean(LEARNED.map(wrap.before)), [wrap.before(EVALUATED[3] ?? ''), true]],
  },
  {
    name: 'variants of one problem in the evaluation: a copy of one of them is found, another variant is none',
    evaluated: [12, 14, 16, 18, 21].map(
      (n) =>
        `Mia picks ${n} apples from the old tree in the garden of her aunt and gives 3 of them to Tom; how many apples does Mia keep for ${n + 1} days?`,
    ),
    learned: [
      [
        `Here is one. Mia picks 14 apples from the old tree in the garden of her aunt and gives 3 of them to Tom; how many apples does Mia keep for 15 days? Think.`,
        true,
      ],
      [
        `Mia picks 45 apples from the old tree in the garden of her aunt and gives 3 of them to Tom; how many apples does Mia keep for 46 days?`,
        false,
      ],
    ],
  },
  {
    name: 'an instruction of its own before a copy, where the evaluation has another',
    evaluated: EVALUATED.map(wrap.before),
    learned: [...clean(LEARNED.map(wrap.after)), [wrap.after(EVALUATED[3] ?? ''), true]],
  },
  {
    name: 'copies of an evaluated problem in most rows are found',
    evaluated: EVALUATED,
    learned: ['Now: ', 'Once more: ', 'A riddle. ', 'Solve: '].map(
      (prefix) => [`${prefix}${EVALUATED[0]}`, true] as const,
    ),
  },
  {
    name: 'a problem shorter than a run is found where it is all, not within a text',
    evaluated: EVALUATED,
    learned: [
      ['What is 13 times 14?', true],
      [' what is  3+5?', true],
      ['What is 3*5?', false],
      ['Mia asks: What is 3+5?', false],
    ],
  },
  {
    name: 'usual first words after an instruction are no problem',
    evaluated: [
      'Find the greatest common divisor of 48 and 36.',
      'Find the greatest common divisor of 84 and 63.',
      'What is the least common multiple of 6 and 8?',
    ].map(wrap.before),
    learned: [
      ...clean(
        [
          'Find the greatest common divisor of 12 and 30.',
          'What is the least common multiple of 9 and 12?',
          'Find the greatest common divisor of 50 and 75.',
        ].map(wrap.before),
      ),
      [wrap.before('Find the greatest common divisor of 84 and 63.'), true],
    ],
  },
  {
    name: 'an instruction in two forms, each before half of the problems',
    evaluated: [...EVALUATED.slice(0, 3).map(wrap.before), ...EVALUATED.slice(2).map(wrap.after)],
    learned: [
      ...clean([...LEARNED.map(wrap.before), ...LEARNED.map(wrap.after)]),
      ...stolen([wrap.after(EVALUATED[0] ?? ''), wrap.before(EVALUATED[3] ?? '')]),
    ],
  },
  {
    name: 'one evaluated problem, two to learn, one instruction',
    evaluated: [wrap.around(EVALUATED[0] ?? '')],
    learned: clean(LEARNED.slice(0, 2).map(wrap.around)),
  },
  {
    name: 'one evaluated problem, copied into the larger part of a few texts',
    evaluated: [EVALUATED[3] ?? ''],
    learned: [
      [`Tom asks: ${EVALUATED[3]}`, true],
      ['What is 12 times 14?', false],
      [`${EVALUATED[3]} Say why.`, true],
      [`Half of it: ${EVALUATED[3]?.split('.')[0]}.`, true],
    ],
  },
  {
    name: 'the first half of a problem, after the instruction that all have',
    evaluated: EVALUATED.map(wrap.before),
    learned: [
      ...clean(LEARNED.map(wrap.before)),
      [wrap.before('Three friends share 42 marbles so that each has twice as many as the first one.'), true],
    ],
  },
  {
    name: 'Japanese: an instruction before every problem',
    evaluated: [
      JA,
      '太郎は鉛筆を十二本買い、弟に三本、妹に四本あげた。残りは何本か。',
      '二十四と三十六の最大公約数を求めよ。',
    ].map((each) => `次の数学の問題を順を追って考え、最後の答えを箱の中に書きなさい。${each}`),
    learned: [
      ...clean(
        ['花子は九枚の紙を持っている。三枚使うと何枚残るか。', '十八と二十七の最小公倍数を求めよ。'].map(
          (each) => `次の数学の問題を順を追って考え、最後の答えを箱の中に書きなさい。${each}`,
        ),
      ),
      [`次の数学の問題を順を追って考え、最後の答えを箱の中に書きなさい。${JA}`, true],
      [`答えよ。${JA}`, true],
    ],
  },
  {
    name: 'a very large set: instructions around problems of words',
    evaluated: Array.from({ length: 400 }, (_, i) => wrap.around(story(i))),
    learned: [
      ...clean(Array.from({ length: 400 }, (_, i) => wrap.around(story(i + 1_000)))),
      ...stolen([wrap.around(story(7)), story(8), `Well. ${story(9)} Go on.`]),
    ],
  },
];

const words = 'one two three four five six seven eight nine ten';

/** Rows that share words with an evaluation. */
export const shapes: Shape[] = [
  ...places,
  ...scripts.map(against),
  ...other.map(against),
  {
    name: 'held-out rows may share what they like',
    files: {
      'learn.jsonl': [qa(`So ${words}!`), { ...qa(`Hm: ${words}`), split: 'test' }],
      'evaluation.jsonl': [qa(`Zero ${words}?`), qa('x')],
    },
    against: ['evaluation.jsonl'],
    expected: `test Hm: ${words} = 1; contaminated 1`,
    before: 'contaminated 1, 2',
  },
  {
    name: 'examples whose problem or response holds an evaluated one',
    files: {
      'learn.jsonl': [
        { problem: 'Say it.', response: `Well: ${words}` },
        { problem: `Say ${words}`, response: 'No.' },
        { problem: 'Else?', response: 'No.' },
      ],
      'evaluation.jsonl': [qa(`Zero ${words}?`), qa('x')],
    },
    against: ['evaluation.jsonl'],
    expected: 'Else? > No. > general; contaminated 1, 2',
  },
  {
    name: 'examples that all begin with one instruction',
    files: {
      'learn.jsonl': [
        ...LEARNED.map((each) => ({ problem: wrap.before(each), response: 'It is 1.' })),
        { problem: wrap.before(EVALUATED[3] ?? ''), response: 'It is 8.' },
      ],
      'evaluation.jsonl': EVALUATED.map((each) => qa(wrap.before(each))),
    },
    against: ['evaluation.jsonl'],
    counted: true,
    expected: `kept ${LEARNED.length}; contaminated ${LEARNED.length + 1}`,
    before: 'kept 0; contaminated 1, 2, 3, 4, 5, 6',
  },
  {
    name: 'an evaluation of examples counts by its problems',
    files: {
      'learn.jsonl': [qa(`So ${words}!`), qa('other')],
      'evaluation.jsonl': [{ problem: `Zero ${words}?`, response: 'x' }],
    },
    against: ['evaluation.jsonl'],
    expected: 'train other = 1; contaminated 1',
    before: 'train So one two three four five six seven eight nine ten! = 1; train other = 1',
  },
  {
    name: 'an evaluated problem counts though its own row would be refused',
    files: {
      'learn.jsonl': [qa(`So ${words}!`), qa('other')],
      'evaluation.jsonl': [qa('x'), { question: `Zero ${words}?`, answer: '' }],
    },
    against: ['evaluation.jsonl'],
    expected: 'train other = 1; contaminated 1',
    before: 'train So one two three four five six seven eight nine ten! = 1; train other = 1',
  },
];
