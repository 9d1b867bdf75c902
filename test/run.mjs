// Runs the tests: every *.test.ts below test/, or those whose path contains one of the given words. Tests that
// take longer than minutes are in *.long.ts and run with --long.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const args = process.argv.slice(2);
const suffix = args.includes('--long') ? '.long.ts' : '.test.ts';
const words = args.filter((arg) => !arg.startsWith('--'));

const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .map((file) => join('test', file))
  .filter((file) => file.endsWith(suffix))
  .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  .sort();

if (files.length === 0) {
  console.error(`expected tests (*${suffix}) whose path holds ${words.join(' or ')}, found none`);
  process.exit(2);
}

/** Tests that bring up servers of their own run last: each needs more memory, and waits for processes that it kills. */
const ownServers = (file) =>
  ['durability', 'infra/stack.test.ts', 'bench/rollout.test.ts'].some((name) => file.includes(name));

function run(group, concurrency) {
  if (group.length === 0) return 0;
  const { status } = spawnSync(
    process.execPath,
    ['--import', 'tsx', '--test', `--test-concurrency=${concurrency}`, ...group],
    {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    },
  );
  return status ?? 1;
}

const statuses = [
  run(
    files.filter((file) => !ownServers(file)),
    2,
  ),
  run(files.filter(ownServers), 2),
];
// Tests share one stack and leave it up for each other; a run of all tests stops it at the end.
if (words.length === 0)
  spawnSync(process.execPath, ['--import', 'tsx', 'test/helpers/stack-down.ts'], { cwd: root });
process.exit(statuses.find((status) => status !== 0) ?? 0);
