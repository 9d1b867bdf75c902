import {
  ApplicationFailure,
  defineQuery,
  defineSignal,
  defineUpdate,
  setHandler,
} from '@temporalio/workflow';
import type { z } from 'zod';
import {
  type OperatorRequest,
  operatorRequestSchema,
  type ResumeRequest,
  type Rewound,
  resumeRequestSchema,
  type SetRequest,
  setRequestSchema,
  type Wish,
} from '../contracts/operator.ts';
import type { Change } from '../contracts/options.ts';
import { messages, type QueuePosition, type StageProgress } from '../contracts/workflows.ts';
import { orchestrator } from './activities.ts';
import { failureKind, innermost } from './errors.ts';
import type { StageDesk } from './stage-desk.ts';

const progressQuery = defineQuery<StageProgress>(messages.progress);
const pauseStageUpdate = defineUpdate<void, [OperatorRequest | undefined]>(messages.pause);
const resumeStageUpdate = defineUpdate<Rewound | null, [ResumeRequest | undefined]>(messages.resume);
const retryStageUpdate = defineUpdate<void, [OperatorRequest | undefined]>(messages.retry);
const cancelStageUpdate = defineUpdate<void, [OperatorRequest | undefined]>(messages.cancel);
const abortStageUpdate = defineUpdate<void, [OperatorRequest | undefined]>(messages.abort);
const setStageUpdate = defineUpdate<Change[], [SetRequest | undefined]>(messages.set);
const changesCommittedSignal = defineSignal<[Change[]]>(messages.changed);
const placeSignal = defineSignal<[QueuePosition]>(messages.place);
const trainerLostSignal = defineSignal<[{ queue: string }]>(messages.trainerLost);

/** Has a stage hear what people and trainers tell it. The updates are what the Temporal UI offers. */
export function hearMessages(desk: StageDesk): void {
  setHandler(progressQuery, () => desk.progress, { description: 'What the stage is doing now' });
  setHandler(trainerLostSignal, ({ queue }) => void desk.lostQueues.add(queue), {
    description: 'Sent by a trainer that starts where another has died',
  });
  setHandler(placeSignal, (place) => desk.queuedAt(place), {
    description: 'Sent to a stage that waits for a trainer, whenever its place in the queue is another',
  });
  setHandler(changesCommittedSignal, (changes) => desk.changed(changes), {
    description: 'Sent by `r1 set`, which has committed live changes',
  });
  hearOfBoundaries(desk);
  hearOfRests(desk);
  setHandler(setStageUpdate, (request) => commitChanges(desk, parsed(setRequestSchema, request)), {
    validator: (request) => void parsed(setRequestSchema, request),
    description:
      'Live changes: {"values": {"learning_rate": 1e-4}, "atStep": 40, "author": "you"}; without atStep from the ' +
      'first step that is not logged yet',
  });
}

/** What a stage under way does at the next step's boundary. */
function hearOfBoundaries(desk: StageDesk): void {
  setHandler(pauseStageUpdate, (request) => ask(desk, 'pause', request), {
    validator: (request) => {
      parsed(operatorRequestSchema, request);
      refuse(desk, desk.resting !== null, 'it rests already');
    },
    description: 'Commit a checkpoint at the next step, give the trainer back and wait',
  });
  const end = (request?: OperatorRequest) =>
    desk.resting === null ? ask(desk, 'end', request) : desk.decide({ kind: 'end' });
  const validator = (request?: OperatorRequest) => {
    parsed(operatorRequestSchema, request);
    refuse(desk, desk.resting !== null && !desk.isOpen, 'an operator has just decided how it goes on');
  };
  setHandler(cancelStageUpdate, end, {
    validator,
    description:
      'End a stage under way in order: at the next step, with a checkpoint; what is committed stays',
  });
  setHandler(abortStageUpdate, end, {
    validator,
    description:
      'End a paused or parked stage at once, as cancel ends one under way; what is committed stays',
  });
}

/** How a stage that rests goes on. */
function hearOfRests(desk: StageDesk): void {
  setHandler(resumeStageUpdate, (request) => resume(desk, parsed(resumeRequestSchema, request)), {
    validator: (request) => {
      parsed(resumeRequestSchema, request);
      refuse(desk, !desk.isOpen, 'pause it first');
    },
    description:
      'Go on with a paused or parked stage; {"from": STEP | "latest" | "s3://…/manifest.json"} goes on after that ' +
      'step or checkpoint on a new branch',
  });
  setHandler(retryStageUpdate, () => desk.decide({ kind: 'resume', rewound: null }), {
    validator: (request) => {
      parsed(operatorRequestSchema, request);
      refuse(desk, desk.resting !== 'parked' || !desk.isOpen, 'only a parked stage is tried again');
    },
    description: 'Try a parked stage again from where its rows end, once its cause is mended',
  });
}

function ask(desk: StageDesk, kind: Wish['kind'], request?: OperatorRequest): void {
  desk.wish = { kind, author: request?.author ?? null };
}

/** Rewinds before it lets the stage go on, so that a step that cannot be gone back to leaves it resting. */
async function resume(desk: StageDesk, { from }: ResumeRequest): Promise<Rewound | null> {
  const rewound = from === undefined ? null : await rewind(desk, from);
  refuse(desk, !desk.isOpen, 'another operator was faster');
  desk.decide({ kind: 'resume', rewound });
  return rewound;
}

function rewind({ progress: { key } }: StageDesk, from: NonNullable<ResumeRequest['from']>) {
  const summary = `a new branch from ${from}`;
  return told(orchestrator.rewindStage.executeWithOptions({ summary }, [{ key, from }]));
}

async function commitChanges(desk: StageDesk, request: SetRequest): Promise<Change[]> {
  const { key } = desk.progress;
  const summary = `live changes: ${Object.keys(request.values).join(', ')}`;
  const changes = await told(orchestrator.commitChanges.executeWithOptions({ summary }, [{ key, request }]));
  desk.changed(changes);
  return changes;
}

/** An update whose activity was refused is refused with its words; the stage goes on as it was. */
async function told<Result>(call: Promise<Result>): Promise<Result> {
  try {
    return await call;
  } catch (error) {
    const { message } = innermost(error);
    throw ApplicationFailure.nonRetryable(message, failureKind(error));
  }
}

function refuse({ progress }: StageDesk, refused: boolean, why: string): void {
  if (refused) throw ApplicationFailure.nonRetryable(`the stage is ${progress.phase}: ${why}`, 'Refused');
}

/** What came with a message; the Temporal UI may send nothing. Throws with what was expected. */
function parsed<Schema extends z.ZodType>(schema: Schema, request: unknown): z.infer<Schema> {
  const result = schema.safeParse(request ?? {});
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => [...path, message].join(': '));
  throw ApplicationFailure.nonRetryable(problems.join('; '), 'InvalidInput');
}
