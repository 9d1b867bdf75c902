// Calls the function named by argv[2] of /box/main.js with the arguments on standard input (JSON), and writes
// what it returns to descriptor 3 (JSON). What the program prints is nobody's result.
const { readFileSync, writeFileSync } = require('node:fs');
const { compileFunction } = require('node:vm');

const name = process.argv[2];
const { args } = JSON.parse(readFileSync(0, 'utf8'));
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
  writeFileSync(3, JSON.stringify(result ?? null, encode));
}

function encode(_key, value) {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof Set || ArrayBuffer.isView(value)) return [...value];
  if (value instanceof Map) return Object.fromEntries(value);
  return value;
}
