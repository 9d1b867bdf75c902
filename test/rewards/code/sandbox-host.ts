/** A separate process with a sandbox: runs the Python program argv[3] as the user of the test process argv[2]. */
import { createSandbox, DEFAULT_LIMITS } from '../../../rewards/code/index.ts';

const [, , owner = '0', source = ''] = process.argv;
const sandbox = createSandbox({ parallel: 1, uid: 60_001 + (Number(owner) % 1000), cgroups: 'off' });
const { stdout } = await sandbox.run({
  argv: [sandbox.find('python3') ?? 'python3', '/box/main.py'],
  files: [{ name: 'main.py', content: source }],
  stdin: '',
  limits: { ...DEFAULT_LIMITS.run, wallSeconds: 600 },
  memoryRlimit: 'as',
  stackBytes: 2 ** 23,
});
process.stdout.write(stdout);
