import { embedded } from './embedded.ts';
import { testContract } from './suite.ts';

testContract(embedded);
