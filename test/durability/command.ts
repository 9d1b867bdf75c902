/** The command `r1` as an operator types it, and what Temporal then shows. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { z } from 'zod';
import { type ShowDocument, showDocument } from '../../contracts/documents.ts';
import { stageWorkflowId } from '../../contracts/workflows.ts';
import { PROJECT_ROOT } from '../../infra/paths.ts';
import type { Settings } from '../../infra/settings.ts';
import { type Ground, STAGE } from './ground.ts';

export interface Ended {
  code: number | null;
  out: string;
  error: string;
}

/** Runs `r1` as a process of its own, for the stack of these settings. */
export async function r1({ variables, home }: Settings, ...args: string[]): Promise<Ended> {
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, [join(PROJECT_ROOT, 'cli/r1.mjs'), ...args], {
    env: { PATH, HOME, ...variables, R1_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const code = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [out, error] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, out, error };
}

/** What a command prints with `--json`, held to its schema. Throws with its error where it failed. */
export async function r1Json<Schema extends z.ZodType>(
  settings: Settings,
  schema: Schema,
  ...args: string[]
): Promise<z.infer<Schema>> {
  const { code, out, error } = await r1(settings, ...args, '--json');
  if (code !== 0) throw new Error(`r1 ${args.join(' ')} ended with ${code}: ${error}`);
  return schema.parse(JSON.parse(out));
}

/** The one stage of a run as `r1 show --json` tells it. */
export async function shownStage(settings: Settings, run: string): Promise<ShowDocument['stages'][number]> {
  const [stage] = (await r1Json(settings, showDocument, 'show', run)).stages;
  if (stage === undefined) throw new Error(`${run}: expected a stage, found none`);
  return stage;
}

/** Sends the run's stage an update, as the Temporal UI does. */
export async function tell(
  { connections }: Ground,
  run: string,
  message: string,
  request?: object,
): Promise<void> {
  const client = await connections.temporal();
  const handle = client.workflow.getHandle(stageWorkflowId({ run, stage: STAGE }));
  const args = request === undefined ? [] : [request];
  await handle.executeUpdate(message, { args: args as [object] });
}

/** What the Temporal UI shows of a run's stage: its details, and the status it can be searched by. */
export async function shownByTemporal({ connections }: Ground, run: string) {
  const client = await connections.temporal();
  const handle = client.workflow.getHandle(stageWorkflowId({ run, stage: STAGE }));
  const { currentDetails } = await handle.query<{ currentDetails: string }>('__temporal_workflow_metadata');
  const { searchAttributes } = await handle.describe();
  return { details: asRead(currentDetails), status: searchAttributes.R1Status?.[0] };
}

/** Markdown as it is read: without the escapes of punctuation. */
const asRead = (markdown: string) => markdown.replaceAll(/\\([\\`*_{}[\]()#+.!:|&<>~^$-])/g, '$1');
