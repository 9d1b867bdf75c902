import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type Logger, type WorkflowBundleWithSourceMap } from '@temporalio/worker';

const fileOf = (name: string) => fileURLToPath(new URL(`../workflows/${name}.ts`, import.meta.url));

/**
 * The workflows' code as one script, as the sandbox runs it. `logger` hears warnings and errors alone; `watched` adds
 * the failpoints, whose sink the worker then has to serve.
 */
export function workflowBundle(
  logger: Logger,
  { watched = false }: { watched?: boolean } = {},
): Promise<WorkflowBundleWithSourceMap> {
  const quiet = () => undefined;
  return bundleWorkflowCode({
    workflowsPath: fileOf('index'),
    workflowInterceptorModules: watched ? [fileOf('failpoints')] : [],
    logger: {
      trace: quiet,
      debug: quiet,
      info: quiet,
      log: quiet,
      warn: (message, meta) => logger.warn(message, meta),
      error: (message, meta) => logger.error(message, meta),
    },
  });
}
