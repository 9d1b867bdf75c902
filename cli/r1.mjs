#!/usr/bin/env node
import { fileURLToPath } from 'node:url';
import { register } from 'tsx/esm/api';

// The S3 client is pinned to a version that works on the Node versions named in package.json.
// biome-ignore lint/style/noProcessEnv: the client has no other switch for its warning, and reads it when imported
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
// The project's own settings, whatever folder the command is called from.
register({ tsconfig: fileURLToPath(new URL('../tsconfig.json', import.meta.url)) });
const { main } = await import('./main.ts');
await main(process.argv.slice(2));
