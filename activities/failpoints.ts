import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../contracts/failures.ts';

/** Points at which a test can kill or stop a process. */
const failpointPlaces = {
  sampling: 'half of a request is sampled',
  'batch-object': 'the batch is in S3, its row is not written',
  'batch-row': 'the batch’s row is committed, the workflow does not know',
  trained: 'the step is trained, the workflow does not know',
  'step-row': 'the step’s row is committed, the workflow does not know',
  staged: 'a checkpoint is staged, the workflow does not know',
  'checkpoint-objects': 'the checkpoint’s objects are written, its manifest is not',
  manifest: 'the manifest is written, the checkpoint’s row is not',
  'checkpoint-row': 'the checkpoint’s row is committed, the workflow does not know',
  'checkpoint-deleted':
    'the rows of checkpoints are deleted and their objects marked, nothing is deleted in S3',
  'object-deleting': 'a marked object is about to be deleted in S3',
  'object-deleted': 'the object is deleted in S3, its mark is not',
  'part-texts': 'the texts of a part of a stage’s samples are in S3, their rows are not written',
  'part-rows': 'the part’s rows are committed, the workflow does not know',
  dataset: 'a stage’s data set is frozen, the workflow does not know',
  'model-scores': 'a reward model’s scores are in S3, the workflow does not know',
  measured: 'a reward model is measured, the workflow does not know',
  continuing: 'the workflow has decided to continue as new, the server does not know',
  continued: 'the old history is closed, the new one has done nothing',
} as const;

type Failpoint = keyof typeof failpointPlaces;

export interface Failpoints {
  /** Whether an action is planned for this point. */
  armed(point: Failpoint, step: number): boolean;
  /**
   * Kills or stops the process or throws, where an action is planned for this point. Returns the action where the
   * process goes on.
   */
  reached(point: Failpoint, step: number): Action | null;
}

/** For processes outside tests. */
export const noFailpoints: Failpoints = { armed: () => false, reached: () => null };

const end = (signal: NodeJS.Signals) => () => void process.kill(process.pid, signal);

const actions = {
  kill: end('SIGKILL'),
  stop: end('SIGSTOP'),
  /** the error of the engine's runtime where it gets no memory */
  memory: () => {
    throw new Error('ONNX Runtime: std::bad_alloc');
  },
  /** the engine's thread goes no further, at `sampling` only: the caller does it */
  freeze: () => undefined,
} as const;
type Action = keyof typeof actions;

interface Planned {
  point: string;
  /** null: at any step */
  step: number | null;
  action: Action;
  /** a file that exists once the action has happened */
  marker: string;
}

/**
 * Failpoints in the order in which they happen, each once: `trained:9`, `batch-object` (at any step), `trained:9=stop`
 * (SIGSTOP instead of SIGKILL), `trained:9=memory` (out of memory). All processes that share `folder` share the order.
 * @throws Failure 'InvalidInput' for an unknown point.
 */
export function createFailpoints(texts: readonly string[], folder: string): Failpoints {
  if (texts.length === 0) return noFailpoints;
  mkdirSync(folder, { recursive: true });
  const planned = texts.map((text, index) => parse(text, join(folder, String(index))));
  const next = (point: Failpoint, step: number) => {
    const first = planned.find(({ marker }) => !existsSync(marker));
    return first?.point === point && (first.step === null || first.step === step) ? first : undefined;
  };
  return {
    armed: (point, step) => next(point, step) !== undefined,
    reached(point, step) {
      const here = next(point, step);
      if (here === undefined) return null;
      writeFileSync(here.marker, String(process.pid), { flag: 'wx' });
      actions[here.action]();
      return here.action;
    },
  };
}

function parse(text: string, marker: string): Planned {
  const [place = '', action] = text.split('=');
  const [point = '', step] = place.split(':');
  if (!(point in failpointPlaces)) {
    throw new Failure(
      'InvalidInput',
      `R1_FAILPOINT: expected one of ${Object.keys(failpointPlaces).join(', ')}, found ${point}`,
    );
  }
  return {
    point,
    step: step === undefined ? null : Number(step),
    action: action === undefined ? 'kill' : actionNamed(action),
    marker,
  };
}

function actionNamed(text: string): Action {
  if (text in actions) return text as Action;
  throw new Failure(
    'InvalidInput',
    `R1_FAILPOINT: expected one of ${Object.keys(actions).join(', ')} after =, found ${text}`,
  );
}
