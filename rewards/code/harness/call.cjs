// Calls the function of /box/main.js that argv[2] names with the arguments on standard input (JSON), and writes its
// result to descriptor 3 (JSON). What the program prints is ignored. An integer that a double cannot hold exactly is
// passed as a BigInt; a BigInt in the result is written as an integer.
const { readFileSync, writeFileSync } = require('node:fs');
const { compileFunction } = require('node:vm');

const name = process.argv[2];
const { args } = readArguments(readFileSync(0, 'utf8'));
// The harness's code follows the program, so errors name the program's own lines.
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

// Like JSON.stringify, but with every digit of an integer, and with sets, typed arrays and maps. NaN gives invalid JSON.
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

// Below 10^21 JavaScript prints an integer double with zeros beyond its precision; BigInt prints its exact digits.
function numberText(value) {
  const long = Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value) < 1e21;
  return String(long ? BigInt(value) : Object.is(value, -0) ? 0 : value);
}
