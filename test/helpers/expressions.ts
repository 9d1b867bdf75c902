/** Finds the regular expressions of source files, and texts on which they take more than linear time. */
import { readdirSync, readFileSync } from 'node:fs';
import { createContext, Script } from 'node:vm';
import { type AST, RegExpParser } from '@eslint-community/regexpp';
import { type CallExpression, type NewExpression, parseSync, Visitor } from 'oxc-parser';

export interface Expression {
  /** `folder/file.ts` */
  file: string;
  line: number;
  pattern: string;
  flags: string;
}

/** A call of `RegExp`, whose pattern is created at run time. */
export interface Construction {
  file: string;
  line: number;
  /** whether it is within a function, and not executed once when the file is loaded */
  late: boolean;
}

/** The expressions that files create when they are loaded; call this before anything else loads them. */
export async function expressionsMadeBy(files: readonly URL[]): Promise<Omit<Expression, 'line'>[]> {
  const made: Omit<Expression, 'line'>[] = [];
  const Original = RegExp;
  let loading = '';
  class Recorded extends Original {
    constructor(pattern: RegExp | string, flags?: string) {
      super(pattern, flags);
      made.push({ file: loading, pattern: this.source, flags: this.flags });
    }
  }
  globalThis.RegExp = Recorded as RegExpConstructor;
  try {
    for (const file of files) {
      loading = file.pathname;
      await import(file.href);
    }
  } finally {
    globalThis.RegExp = Original;
  }
  return made;
}

export function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.(?:ts|mjs|cjs)$/.test(entry.name))
    .map((entry) => `${entry.parentPath}/${entry.name}`)
    .sort();
}

export function expressionsIn(file: string): { literals: Expression[]; constructions: Construction[] } {
  const text = readFileSync(file, 'utf8');
  const literals: Expression[] = [];
  const constructions: Construction[] = [];
  const lineOf = (at: number) => text.slice(0, at).split('\n').length;
  let depth = 0;
  const enter = () => void depth++;
  const leave = () => void depth--;
  const construct = (node: NewExpression | CallExpression) => {
    if (!('name' in node.callee) || node.callee.name !== 'RegExp') return;
    constructions.push({ file, line: lineOf(node.start), late: depth > 0 });
  };
  const visitor = new Visitor({
    Literal(node) {
      if (!('regex' in node)) return;
      const { pattern, flags } = node.regex;
      literals.push({ file, line: lineOf(node.start), pattern, flags });
    },
    NewExpression: construct,
    CallExpression: construct,
    ...{ FunctionDeclaration: enter, 'FunctionDeclaration:exit': leave },
    ...{ FunctionExpression: enter, 'FunctionExpression:exit': leave },
    ...{ ArrowFunctionExpression: enter, 'ArrowFunctionExpression:exit': leave },
  });
  visitor.visit(parseSync(file, text).program);
  return { literals, constructions };
}

/** Characters of most kinds, to find what an expression matches besides its own characters. */
const KINDS = [
  'a',
  ' ',
  '0',
  '\t',
  '\n',
  '_',
  '.',
  ',',
  '-',
  '"',
  "'",
  '\\',
  '<',
  'A',
  'é',
  '語',
  '\u0301',
  '\0',
];
const MOST_PUMPS = 6;

/**
 * Texts for each part of an expression that repeats without a bound: runs of what the part matches, alone, after a
 * text that leads to it, and after a text that does not; two runs; and runs of beginnings, each of which may extend
 * to the end.
 */
function longRuns({ pattern, flags }: Pick<Expression, 'pattern' | 'flags'>): LongRun[] {
  const parsed = new RegExpParser({ ecmaVersion: 2024 }).parsePattern(pattern, 0, pattern.length, {
    unicode: flags.includes('u'),
    unicodeSets: flags.includes('v'),
  });
  const sampler = new Sampler(parsed, flags);
  const runs = new Map<string, LongRun>();
  const add = (run: LongRun) => runs.set(JSON.stringify(run), run);
  for (const { before, pumps } of repeatedParts(parsed, sampler)) {
    for (const unit of new Set([...pumps, before, ...pumps.map((pump) => before + pump)])) {
      if (unit === '') continue;
      for (const tail of ['', '\0', '\n\0', ...sampler.alphabet.slice(0, 2)]) {
        for (const beginning of new Set(['', '\0', before])) add({ beginning, unit, tail, twice: false });
      }
      add({ beginning: before, unit, tail: '\n\0', twice: true });
    }
  }
  return [...runs.values()];
}

/** A text that repeats a unit, of any length. */
interface LongRun {
  beginning: string;
  unit: string;
  tail: string;
  /** two runs with a character between them that no expression matches */
  twice: boolean;
}

function textOf({ beginning, unit, tail, twice }: LongRun, length: number): string {
  const run = unit.repeat(Math.ceil(length / unit.length));
  return `${beginning}${run}${twice ? `\0${run}` : ''}${tail}`;
}

interface RepeatedPart {
  /** a text that leads to it */
  before: string;
  /** texts that it matches, in one repetition or several */
  pumps: string[];
}

function repeatedParts(pattern: AST.Pattern, sampler: Sampler): RepeatedPart[] {
  const found: RepeatedPart[] = [];
  const visit = (alternatives: readonly AST.Alternative[], before: string) => {
    for (const { elements } of alternatives) {
      let soFar = before;
      for (const [at, element] of elements.entries()) {
        const inner = element.type === 'Quantifier' ? element.element : element;
        if (element.type === 'Quantifier' && element.max > MOST_TURNS) {
          const rest = sampler
            .beginnings(elements.slice(at + 1))
            .filter((each) => sampler.takes(element, each));
          found.push({ before: soFar, pumps: [...sampler.all(inner), ...rest] });
        }
        if ('alternatives' in inner) visit(inner.alternatives as AST.Alternative[], soFar);
        soFar += sampler.one(element);
      }
    }
  };
  visit(pattern.alternatives, '');
  return found;
}

/** A part with fewer repetitions does not make long runs. */
const MOST_TURNS = 1_000;

/** Texts that parts of an expression match. */
class Sampler {
  /** characters of the expression itself */
  readonly alphabet: string[];
  private readonly flags: string;

  constructor(pattern: AST.Pattern, flags: string) {
    this.flags = flags.replace(/[gyd]/g, '');
    this.alphabet = [...new Set(charactersOf(pattern.alternatives))];
  }

  /** One matching text; empty for parts that match none. */
  one(node: AST.Element | AST.QuantifiableElement): string {
    return this.all(node)[0] ?? '';
  }

  all(node: AST.Element | AST.QuantifiableElement): string[] {
    if (node.type === 'Quantifier') {
      const turns = Math.max(node.min, 1);
      return this.all(node.element).map((each) => each.repeat(turns));
    }
    if (node.type === 'Group' || node.type === 'CapturingGroup') {
      const most = Math.max(1, Math.floor((2 * MOST_PUMPS) / node.alternatives.length));
      const each = node.alternatives.flatMap(({ elements }) => this.sequences(elements).slice(0, most));
      return [...new Set(each)].slice(0, 2 * MOST_PUMPS);
    }
    if (node.type === 'Assertion' || node.type === 'Backreference') return [''];
    const matches = new RegExp(`^(?:${node.raw})$`, this.flags);
    return [...this.alphabet, ...KINDS].filter((each) => matches.test(each)).slice(0, MOST_PUMPS);
  }

  /** Whether a part matches a whole text. */
  takes(node: AST.Element, text: string): boolean {
    return text !== '' && new RegExp(`^(?:${node.raw})$`, this.flags).test(text);
  }

  /** Texts that the first elements match, one element more each; optional elements are left out. */
  beginnings(elements: readonly AST.Element[]): string[] {
    const found: string[] = [];
    let soFar = '';
    for (const element of elements) {
      if (element.type !== 'Quantifier' || element.min > 0) soFar += this.one(element);
      found.push(soFar);
    }
    return [...new Set(found)].slice(0, MOST_PUMPS);
  }

  /** Texts of a sequence of elements, with each alternative of the last element that has several. */
  private sequences(elements: readonly AST.Element[]): string[] {
    const lists = elements.map((element) => this.all(element));
    return lists.flatMap((list, at) =>
      list.map((each) => lists.map((other, index) => (index === at ? each : (other[0] ?? ''))).join('')),
    );
  }
}

function charactersOf(alternatives: readonly AST.Alternative[]): string[] {
  return alternatives.flatMap(({ elements }) =>
    elements.flatMap((element) => {
      const inner = element.type === 'Quantifier' ? element.element : element;
      if (inner.type === 'Character') return [String.fromCodePoint(inner.value)];
      if (inner.type === 'CharacterClass') return classCharacters(inner);
      return 'alternatives' in inner ? charactersOf(inner.alternatives as AST.Alternative[]) : [];
    }),
  );
}

function classCharacters(node: AST.CharacterClass): string[] {
  return node.elements.flatMap((element) => {
    if (element.type === 'Character') return [String.fromCodePoint(element.value)];
    return element.type === 'CharacterClassRange' ? [String.fromCodePoint(element.min.value)] : [];
  });
}

const [SHORT, LONG] = [8_000, 32_000];
/** CPU time of a measurement; a long quadratic run takes at least twice as much, a short cubic one a thousand times. */
const [SUSPECT_SECONDS, SLOW_SECONDS] = [0.005, 1];
/** For four times the length, time grows 4-fold where it is linear, 16-fold where it is quadratic. */
const MOST_GROWTH = 8;
const PATIENCE_MS = 20_000;

/**
 * A text on which an expression takes more than linear time, and the time; null where none is found. The growth of
 * CPU time decides, so neither a slow machine nor a busy one changes the result.
 */
export function costlyText(
  expression: Pick<Expression, 'pattern' | 'flags'>,
): { text: string; seconds: number } | null {
  const made = new RegExp(expression.pattern, expression.flags);
  for (const run of longRuns(expression)) {
    const text = textOf(run, SHORT);
    const short = cpuSeconds(made, text);
    if (short < SUSPECT_SECONDS) continue;
    if (short > SLOW_SECONDS) return { text, seconds: short };
    const again = Math.min(short, cpuSeconds(made, text));
    const seconds = cpuSeconds(made, textOf(run, LONG));
    if (seconds > MOST_GROWTH * again && seconds > MOST_GROWTH * SUSPECT_SECONDS) return { text, seconds };
  }
  return null;
}

const room = createContext({ expression: /x/, text: '' });
const SEARCH = new Script('expression.lastIndex = 0; text.search(expression)');
const REPLACE = new Script('text.replace(expression, "").length');

/** As `replace` and `split` do, searches for every match. */
function cpuSeconds(expression: RegExp, text: string): number {
  Object.assign(room, { expression, text });
  const before = process.cpuUsage();
  try {
    (expression.global ? REPLACE : SEARCH).runInContext(room, { timeout: PATIENCE_MS });
  } catch {
    return Number.POSITIVE_INFINITY;
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
