/** Connections to the servers of the running stack. */
import type { Client } from '@temporalio/client';
import { findStack, type Stack } from '../../infra/stack.ts';
import type { Database } from '../../stores/database/database.ts';
import type { ObjectStore } from '../../stores/objects/objects.ts';
import { CommandError, messageOf } from '../errors.ts';

/** The running stack, and connections to its servers, each opened on first use. */
export interface Connections {
  stack: Stack;
  database(): Promise<Database>;
  objects(): Promise<ObjectStore>;
  temporal(): Promise<Client>;
}

/** The running stack. Throws CommandError where none runs. */
export function runningStack(): Stack {
  const stack = findStack();
  if (stack !== undefined) return stack;
  throw new CommandError('the stack is not running: start it with `r1 up`');
}

/** Runs `work` with connections to the running stack, and closes those that it opened. */
export async function withConnections<Result>(
  work: (connections: Connections) => Promise<Result>,
  stack: Stack = runningStack(),
): Promise<Result> {
  return withOptionalStack(
    (connections) => work({ ...connections, stack }),
    () => stack,
  );
}

/** The same for work that may need no server: whether the stack runs is checked on the first use of one. */
export async function withOptionalStack<Result>(
  work: (connections: Omit<Connections, 'stack'>) => Promise<Result>,
  find: () => Stack = runningStack,
): Promise<Result> {
  const closers: Closer[] = [];
  try {
    return await work({
      database: lazily(async () => openDatabase(find(), closers)),
      objects: lazily(async () => openObjects(find(), closers)),
      temporal: lazily(async () => openTemporal(find(), closers)),
    });
  } finally {
    await Promise.allSettled(closers.map((close) => close()));
  }
}

type Closer = () => Promise<void> | void;

function lazily<Value>(open: () => Promise<Value>): () => Promise<Value> {
  let opening: Promise<Value> | undefined;
  return () => {
    opening ??= open();
    return opening;
  };
}

async function openDatabase({ postgres }: Stack, closers: Closer[]): Promise<Database> {
  const { createDatabase } = await import('../../stores/database/database.ts');
  const database = createDatabase(postgres.url);
  closers.push(() => database.close());
  return database;
}

async function openObjects({ s3 }: Stack, closers: Closer[]): Promise<ObjectStore> {
  const { createObjectStore } = await import('../../stores/objects/objects.ts');
  const objects = createObjectStore(s3);
  closers.push(() => objects.close());
  return objects;
}

async function openTemporal({ temporal }: Stack, closers: Closer[]): Promise<Client> {
  const { Client, Connection } = await import('@temporalio/client');
  const { address, namespace } = temporal;
  try {
    const connection = await Connection.connect({ address, connectTimeout: '10s' });
    closers.push(() => connection.close());
    return new Client({ connection, namespace });
  } catch (error) {
    throw new CommandError(
      `Temporal at ${address} does not answer (${messageOf(error)}). \`r1 status\` shows whether it runs.`,
    );
  }
}
