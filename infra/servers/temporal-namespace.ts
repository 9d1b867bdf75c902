import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { messageOf, StackError } from '../errors.ts';

/** Temporal's codes of the search attribute types used here (temporal.api.enums.v1.IndexedValueType). */
const KEYWORD = 2;
const INT = 3;
const DOUBLE = 4;

/** The search attributes of runs in the Temporal UI. */
const SEARCH_ATTRIBUTES: Record<string, number> = {
  R1Run: KEYWORD,
  R1Stage: KEYWORD,
  R1Status: KEYWORD,
  R1Step: INT,
  R1Reward: DOUBLE,
};

/** How long a local server keeps closed workflows. */
const RETENTION_SECONDS = 30 * 24 * 3600;

type Options = { address: string; namespace: string; external: boolean };

/**
 * Prepares a namespace: creates missing search attributes and, on the local server only, sets the retention of closed
 * workflows to 30 days.
 * @throws StackError when the server cannot be reached or refuses.
 */
export async function ensureNamespace(options: Options): Promise<void> {
  const connection = await connect(options);
  try {
    await createSearchAttributes(connection, options.namespace);
    if (!options.external) await raiseRetention(connection, options.namespace);
  } catch (error) {
    throw new StackError(
      `Temporal at ${options.address}: expected the namespace "${options.namespace}" with the search attributes ` +
        `${Object.keys(SEARCH_ATTRIBUTES).join(', ')}, found: ${messageOf(error)}. ` +
        'Create them with `temporal operator`, or name another namespace by R1_TEMPORAL_NAMESPACE.',
    );
  } finally {
    await connection.close();
  }
}

async function connect({ address, external }: Options): Promise<Connection> {
  try {
    return await Connection.connect({ address, connectTimeout: '10s' });
  } catch (error) {
    const where = external ? 'R1_TEMPORAL_ADDRESS' : 'The local stack';
    throw new StackError(
      `${where}: expected a Temporal server at ${address}, found: ${messageOf(error)}. ` +
        'Start that server, or correct the address.',
    );
  }
}

async function createSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const missing = Object.entries(SEARCH_ATTRIBUTES).filter(([name]) => !(name in (customAttributes ?? {})));
  if (missing.length === 0) return;
  await connection.operatorService.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries(missing),
  });
}

async function raiseRetention(connection: Connection, namespace: string): Promise<void> {
  const { config } = await connection.workflowService.describeNamespace({ namespace });
  if (Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) >= RETENTION_SECONDS) return;
  await connection.workflowService.updateNamespace({
    namespace,
    config: { workflowExecutionRetentionTtl: msToTs(RETENTION_SECONDS * 1000) },
  });
}
