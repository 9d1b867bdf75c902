import { fromDecimal, type Rational } from '../numbers/rational.ts';

/** A unit of measure: its size in base units, its offset, and the powers of the base units. */
export interface Unit {
  factor: Rational;
  /** 273.15 for degrees Celsius */
  offset: Rational;
  dimensions: ReadonlyMap<string, number>;
}

/** One unit per line: its size in base units, an offset in brackets, and its names. */
const TABLE = `
1 metre: m meter meters metre metres
1/100 metre: cm centimeter centimeters centimetre centimetres
1/1000 metre: mm millimeter millimeters millimetre millimetres
1/10 metre: dm decimeter decimeters decimetre decimetres
1000 metre: km kilometer kilometers kilometre kilometres
1/1000000 metre: um micrometer micrometers micrometre micrometres
1/1000000000 metre: nm nanometer nanometers nanometre nanometres
0.0254 metre: in inch inches
0.3048 metre: ft foot feet
0.9144 metre: yd yds yard yards
1609.344 metre: mi mile miles
10000 metre^2: ha hectare hectares
4046.8564224 metre^2: acre acres
1/1000 metre^3: L l liter liters litre litres
1/1000000 metre^3: mL ml milliliter milliliters millilitre millilitres cc
0.003785411784 metre^3: gal gallon gallons
0.000946352946 metre^3: qt quart quarts
0.000473176473 metre^3: pint pints
0.0002365882365 metre^3: cup cups
1 gram: g gram grams
1000 gram: kg kgs kilogram kilograms
1/1000 gram: mg milligram milligrams
1000000 gram: tonne tonnes
453.59237 gram: lb lbs pound pounds
28.349523125 gram: oz ounce ounces
907184.74 gram: ton tons
1 second: s sec secs second seconds
1/1000 second: ms millisecond milliseconds
60 second: min mins minute minutes
3600 second: h hr hrs hour hours
86400 second: day days
604800 second: week weeks wk wks
1 month: month months
12 month: yr yrs year years
0.44704 metre second^-1: mph
5/18 metre second^-1: kmph kph
1 radian: rad rads radian radians
1 kelvin: K kelvin kelvins
1 kelvin (273.15): degC
5/9 kelvin (45967/180): degF
1 ampere: A amp amps ampere amperes
1/1000 ampere: mA milliampere milliamperes
1 ampere second: coulomb coulombs
1000 gram metre second^-2: N newton newtons
1000 gram metre^2 second^-2: J joule joules
1000000 gram metre^2 second^-2: kJ kilojoule kilojoules
1000000000 gram metre^2 second^-2: MJ megajoule megajoules
4184 gram metre^2 second^-2: cal calorie calories
4184000 gram metre^2 second^-2: kcal kilocalorie kilocalories
1.602176634e-16 gram metre^2 second^-2: eV
3600000000 gram metre^2 second^-2: kWh
1000 gram metre^2 second^-3: W watt watts
1000000 gram metre^2 second^-3: kW kilowatt kilowatts
1000000000 gram metre^2 second^-3: MW megawatt megawatts
1000 gram metre^-1 second^-2: Pa pascal pascals
1000000 gram metre^-1 second^-2: kPa kilopascal kilopascals
101325000 gram metre^-1 second^-2: atm atmosphere atmospheres
1000 gram metre^2 second^-3 ampere^-1: V volt volts
1000 gram metre^2 second^-3 ampere^-2: ohm ohms
1 second^-1: Hz hertz
1000 second^-1: kHz kilohertz
1000000 second^-1: MHz megahertz
1 mole: mol moles
1 byte: byte bytes
1/8 byte: bit bits
1 dollar: USD dollar dollars
1/100 dollar: cent cents
1 euro: EUR euro euros
1 rupee: INR rupee rupees
1 yuan: RMB yuan
1 rouble: RUB ruble rubles rouble roubles
1 won: KRW
1 baht: THB baht
1 peso: peso pesos
1 morning: am
1 afternoon: pm
`;

const ZERO: Rational = { n: 0n, d: 1n };

function fraction(text: string): Rational {
  const [top = '', bottom = '1'] = text.split('/');
  const [a, b] = [fromDecimal(top), fromDecimal(bottom)];
  return { n: a.n * b.d, d: a.d * b.n };
}

const UNITS = new Map<string, Unit>();
for (const line of TABLE.trim().split('\n')) {
  const [, factor = '', bases = '', offset, names = ''] =
    /^(\S+) ([^:(]*[^:( ])(?: \(([^()]+)\))?: (.+)$/.exec(line) ?? [];
  const powers = bases.split(' ').map((base) => base.split('^'));
  const dimensions = new Map(powers.map(([name = '', power = '1']) => [name, Number(power)]));
  const unit = { factor: fraction(factor), offset: offset ? fraction(offset) : ZERO, dimensions };
  for (const name of names.split(' ')) UNITS.set(name, unit);
}

/** Names that are whole words, which mean nothing else in plain text. */
export const UNIT_WORDS = [...UNITS.keys()].filter((name) => /^[a-z]{4,}$/.test(name));

const unitOf = (name: string): Unit | undefined =>
  UNITS.get(name) ?? (name.length > 1 ? UNITS.get(name.toLowerCase()) : undefined);

function raised({ factor, offset, dimensions }: Unit, power: number): Unit {
  if (power === 1) return { factor, offset, dimensions };
  const size = BigInt(Math.abs(power));
  const [n, d] = [factor.n ** size, factor.d ** size];
  return {
    factor: power < 0 ? { n: d, d: n } : { n, d },
    offset: ZERO,
    dimensions: new Map([...dimensions].map(([name, own]) => [name, own * power])),
  };
}

function product(a: Unit, b: Unit): Unit {
  const dimensions = new Map(a.dimensions);
  for (const [name, power] of b.dimensions) {
    const sum = (dimensions.get(name) ?? 0) + power;
    if (sum === 0) dimensions.delete(name);
    else dimensions.set(name, sum);
  }
  return { factor: { n: a.factor.n * b.factor.n, d: a.factor.d * b.factor.d }, offset: ZERO, dimensions };
}

const PREFIX_POWERS: Record<string, number> = { square: 2, sq: 2, cubic: 3, cu: 3 };
const SUFFIX_POWERS: Record<string, number> = { squared: 2, cubed: 3 };
/** A higher power is not a unit. */
const HIGHEST_POWER = 9;

/** The unit at the start of a text: "km/h", "square meters of cloth", "kg*m^2 / s^2"; null without one. */
export function parseUnit(text: string): Unit | null {
  // "5 in total" is not a length.
  if (/^\s*in\s+\w/.test(text)) return null;
  const words = text.replaceAll('.', '').match(/[a-zA-Z]+|\^?\{?-?\d+\}?|\//g) ?? [];
  let unit: Unit | null = null;
  let [divided, prefix] = [false, 1];
  let i = 0;
  if (/^deg/.test(words[0] ?? '') && /^[cf]/i.test(words[1] ?? '')) {
    return unitOf(`deg${words[1]?.charAt(0).toUpperCase()}`) ?? null;
  }
  while (i < words.length) {
    const word = words[i] ?? '';
    i++;
    if (word === '/' || word === 'per') divided = true;
    else if (Object.hasOwn(PREFIX_POWERS, word)) prefix = PREFIX_POWERS[word] ?? 1;
    else {
      const found = unitOf(word);
      if (found === undefined) break;
      const next = words[i] ?? '';
      const digits = /^\^?\{?(-?\d+)\}?$/.exec(next)?.[1];
      const power = digits === undefined ? (SUFFIX_POWERS[next] ?? 1) : Number(digits);
      if (digits !== undefined || power !== 1) i++;
      if (Math.abs(power * prefix) > HIGHEST_POWER) return null;
      const own = raised(found, power * prefix * (divided ? -1 : 1));
      unit = unit === null ? own : product(unit, own);
      [divided, prefix] = [false, 1];
    }
  }
  return unit;
}

const list = (words: string) => new Set(words.split(' '));

/** Words that do not name what is counted. */
const FILLERS = list(
  'a an the of in to on at for from and or is are was were about approx approximately around roughly exactly only just total all altogether each every more other different distinct possible additional such respectively square long wide high tall deep old away apart ago later',
);
/** Words for anything that can be counted. */
const GENERAL = list(
  'unit thing object item piece element member people person student child children number value integer solution way time possibility combination arrangement outcome case point',
);
/** Those that agree with a unit as well. */
const OF_ANY_UNIT = list('unit value number integer');
/** Pairs of words with opposite meanings. */
const CONTRARIES = [
  ['increase', 'decrease'],
  ['profit', 'loss'],
  ['gain', 'loss'],
  ['north', 'south'],
  ['east', 'west'],
  ['left', 'right'],
  ['up', 'down'],
  ['above', 'below'],
  ['before', 'after'],
  ['faster', 'slower'],
  ['more', 'less'],
  ['more', 'fewer'],
] as const;

function stem(word: string): string {
  const lower = word.toLowerCase();
  if (/ies$/.test(lower)) return `${lower.slice(0, -3)}y`;
  if (/(?:x|ch|sh|ss)es$/.test(lower)) return lower.slice(0, -2);
  return /[^s]s$/.test(lower) ? lower.slice(0, -1) : lower;
}

const stems = (text: string) => (text.match(/[a-zA-Z]{2,}/g) ?? []).map(stem);

/** Whether two texts after values contain words with opposite meanings. */
export function areContrary(a: string, b: string): boolean {
  const [ours, theirs] = [stems(a), stems(b)];
  return CONTRARIES.some(
    ([one, other]) =>
      (ours.includes(one) && theirs.includes(other)) || (ours.includes(other) && theirs.includes(one)),
  );
}

/**
 * Whether two texts after values may name the same thing: both are units, which are converted; they share a word; or
 * one of them names nothing specific.
 */
export function mayAgree(a: string, b: string): boolean {
  const units = [a, b].filter((text) => parseUnit(text) !== null).length;
  if (units === 2) return true;
  const [ours, theirs] = [stems(a), stems(b)];
  const named = (words: string[]) => words.filter((word) => !FILLERS.has(word));
  const general = units === 0 ? GENERAL : OF_ANY_UNIT;
  const isOpen = (words: string[]) => named(words).length === 0 || words.some((word) => general.has(word));
  return isOpen(ours) || isOpen(theirs) || named(ours).some((word) => named(theirs).includes(word));
}

const sameDimensions = (a: Unit, b: Unit): boolean =>
  a.dimensions.size === b.dimensions.size &&
  [...a.dimensions].every(([name, power]) => b.dimensions.get(name) === power);

export const sameUnit = (a: Unit, b: Unit): boolean =>
  sameDimensions(a, b) &&
  a.factor.n * b.factor.d === b.factor.n * a.factor.d &&
  a.offset.n * b.offset.d === b.offset.n * a.offset.d;
