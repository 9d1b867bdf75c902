/** The verifier of programs: call `createSandbox` once per process, then `verifyCode` for each program. */
export type { Checker } from './checker.ts';
export { extractCode } from './code-block.ts';
export { LANGUAGES, type Language, languageNamed } from './language.ts';
export { DEFAULT_LIMITS, type Limits, type RunLimits } from './limits.ts';
export { createSandbox, type Sandbox, type SandboxReport, type SandboxSettings } from './sandbox.ts';
export type { SandboxErrorKind } from './sandbox-error.ts';
export { parseVerificationInfo, type TestCase, testCaseSchema } from './test-case.ts';
export {
  type CodeTask,
  type CodeVerdict,
  type TestVerdict,
  type TestVerdictKind,
  verifyCode,
} from './verify-code.ts';
