/** Rewrites `contracts/schemas/`: `npm run schemas`. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { schemaFiles } from '../contracts/json-schemas.ts';
import { PROJECT_ROOT } from './paths.ts';

const folder = join(PROJECT_ROOT, 'contracts', 'schemas');
await rm(folder, { recursive: true, force: true });
for (const [name, text] of schemaFiles()) {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), text);
}
