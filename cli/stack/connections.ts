import type { Client } from '@temporalio/client';
import { findStack, type Stack } from '../../infra/stack.ts';
import type { Database } from '../../stores/database/database.ts';
import type { ObjectStore } from '../../stores/objects/objects.ts';
import { CommandError, messageOf } from '../errors.ts';

/** The running stack, and its servers, each opened when it is first asked for. */
export interface Connections {
  stack: Stack;
  database(): Promise<Database>;
  objects(): Promise<ObjectStore>;
  temporal(): Promise<Client>;
}

/** The stack that runs. Throws CommandError where none does. */
export function runningStack(): Stack {
  const stack = findStack();
  if (stack !== undefined) return stack;
  throw new CommandError('the stack is not running: start it with `r1 up`');
}

/** Runs `work` with the running stack's connections and closes those that it opened. */
export async function withConnections<Result>(
  work: (connections: Connections) => Promise<Result>,
  stack: Stack = runningStack(),
): Promise<Result> {
  const closers: Closer[] = [];
  try {
    return await work({
      stack,
      database: lazily(() => openDatabase(stack, closers)),
      objects: lazily(() => openObjects(stack, closers)),
      temporal: lazily(() => openTemporal(stack, closers)),
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
      `Temporal at ${address} does not answer (${messageOf(error)}). \`r1 status\` tells whether it runs.`,
    );
  }
}
