import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type Logger, type WorkflowBundleWithSourceMap } from '@temporalio/worker';

const fileOf = (name: string) => fileURLToPath(new URL(`../workflows/${name}.ts`, import.meta.url));

/**
 * The workflows' code as one script for the sandbox. `logger` receives only warnings and errors. `watched` adds the
 * failpoints; the worker must then serve their sink.
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
