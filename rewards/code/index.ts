/** The verifier of programs: call `createSandbox` once per process, then `verifyCode` for each program. */
export { type Language, languageNamed } from './language.ts';
export { DEFAULT_LIMITS } from './limits.ts';
export { createSandbox, type Sandbox, type SandboxReport, type SandboxSettings } from './sandbox.ts';
export { parseVerificationInfo } from './test-case.ts';
export { type CodeTask, type CodeVerdict, verifyCode } from './verify-code.ts';
