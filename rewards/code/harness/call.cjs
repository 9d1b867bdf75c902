// Calls the function named by argv[2] of /box/main.js with the arguments on standard input (JSON), and writes
// what it returns to descriptor 3 (JSON). What the program prints is nobody's result. An integer that a double
// cannot hold is handed over as a BigInt, and any BigInt that is returned is an integer.
const { readFileSync, writeFileSync } = require('node:fs');
const { compileFunction } = require('node:vm');

const name = process.argv[2];
const { args } = readArguments(readFileSync(0, 'utf8'));
// On the last line, so that errors name the program's own lines.
const source = `${readFileSync('/box/main.js', 'utf8')}
;return typeof Solution === 'function' && Solution.prototype?.${name}
  ? (...args) => new Solution().${name}(...args)
  : typeof ${name} === 'function' ? ${name} : (module.exports.${name} ?? exports.${name});`;
const program = compileFunction(source, ['require', 'module', 'exports'], { filename: '/box/main.js' });

const module_ = { exports: {} };
const call = program(require, module_, module_.exports);
void send();

async function send() {
  const result = await call(...args);
  writeFileSync(3, jsonOf(result ?? null));
}

function readArguments(text) {
  if (!/\d{16}/.test(text)) return JSON.parse(text);
  const BIG = '\u0001big:';
  const marked = text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (token) =>
    /^-?\d{16,}$/.test(token) && !Number.isSafeInteger(Number(token)) ? JSON.stringify(BIG + token) : token,
  );
  const numberOf = (_key, value) =>
    typeof value === 'string' && value.startsWith(BIG) ? BigInt(value.slice(BIG.length)) : value;
  return marked === text ? JSON.parse(text) : JSON.parse(marked, numberOf);
}

// As JSON.stringify, but with every digit of an integer, with sets, typed arrays and maps; NaN is no JSON.
function jsonOf(value) {
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return numberText(value);
  if (typeof value?.toJSON === 'function') return jsonOf(value.toJSON());
  if (value instanceof Map) return jsonOf(Object.fromEntries(value));
  if (Array.isArray(value) || value instanceof Set || ArrayBuffer.isView(value)) {
    return `[${Array.from(value, jsonOf).join(',')}]`;
  }
  if (value instanceof Number || value instanceof String || value instanceof Boolean)
    return jsonOf(value.valueOf());
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const fields = Object.entries(value).filter(([, each]) => each !== undefined && typeof each !== 'function');
  return `{${fields.map(([key, each]) => `${JSON.stringify(key)}:${jsonOf(each)}`).join(',')}}`;
}

// Up to 10^21 a double prints as digits, of which those beyond its precision are zeros.
function numberText(value) {
  const long = Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value) < 1e21;
  return String(long ? BigInt(value) : Object.is(value, -0) ? 0 : value);
}
