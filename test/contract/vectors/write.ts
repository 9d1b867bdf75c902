/** Rewrites `contracts/vectors/`: `npm run vectors`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../../../infra/paths.ts';
import { vectorFiles } from './vectors.ts';

for (const [name, text] of vectorFiles()) {
  writeFileSync(join(PROJECT_ROOT, 'contracts', 'vectors', name), text);
}
