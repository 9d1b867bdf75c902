import { proxySinks, type WorkflowInterceptors, workflowInfo } from '@temporalio/workflow';
import type { FailpointSinks } from '../contracts/workflows.ts';

const { failpoints } = proxySinks<FailpointSinks>();

/** Bundled in tests only: reports to the worker where a stage's history ends and where the next one begins. */
export const interceptors = (): WorkflowInterceptors => ({
  inbound: [
    {
      execute(input, next) {
        if (workflowInfo().continuedFromExecutionRunId !== undefined) failpoints.reached('continued');
        return next(input);
      },
    },
  ],
  outbound: [
    {
      continueAsNew(input, next) {
        failpoints.reached('continuing');
        return next(input);
      },
    },
  ],
});
