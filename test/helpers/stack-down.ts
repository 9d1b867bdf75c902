/** Stops the stack that tests share and removes its data: `node --import tsx test/helpers/stack-down.ts`. */
import { stopStack } from '../../infra/stack.ts';
import { testSettings } from './stack.ts';

await stopStack({ settings: testSettings(), purge: true, onProgress: console.log });
