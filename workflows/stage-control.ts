/** What a stage's workflow shows to operators, and the messages that they and trainers send to it. */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import {
  ApplicationFailure,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { z } from 'zod';
import type { NumericsChange, VerifierChange } from '../contracts/activities.ts';
import type { RaisedAlarm } from '../contracts/alarms.ts';
import type { StageKey } from '../contracts/identity.ts';
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
import {
  messages,
  type QueuePosition,
  type StageProgress,
  searchAttributes,
} from '../contracts/workflows.ts';
import { orchestrator } from './activities.ts';
import { failureKind, innermost } from './errors.ts';
import { alarmsText, changesText, numericsChangesText, phaseText, verifiersText } from './stage-details.ts';

const stepKey = defineSearchAttributeKey(searchAttributes.step, SearchAttributeType.INT);
const rewardKey = defineSearchAttributeKey(searchAttributes.reward, SearchAttributeType.DOUBLE);
const statusKey = defineSearchAttributeKey(searchAttributes.status, SearchAttributeType.KEYWORD);

/** The phase of a stage that needs a trainer and has none. */
export const WAITING = 'waiting for a trainer';

/** What an operator decided for a paused or parked stage. */
export type Decision = { kind: 'resume'; rewound: Rewound | null } | { kind: 'end' };

/** What a stage’s rows hold that operators see. */
interface Known {
  changes: readonly Change[];
  seams: readonly NumericsChange[];
  verifierChanges: readonly VerifierChange[];
  alarms: readonly RaisedAlarm[];
}

/**
 * What a stage's workflow shows (progress, details in the UI, search attributes) and what operators and trainers have
 * requested of it.
 */
export class StageControl {
  readonly lostQueues = new Set<string>();
  readonly progress: StageProgress;
  /** set from the time the stage is paused or parked until an operator decides */
  suspended: 'paused' | 'parked' | null = null;
  private decision: Decision | null = null;
  private body = '';
  private changes: readonly Change[] = [];
  private seams: readonly NumericsChange[] = [];
  private verifierChanges: readonly VerifierChange[] = [];
  private alarms: readonly RaisedAlarm[] = [];
  /** raised and not acted on yet */
  private fresh: readonly RaisedAlarm[] = [];

  constructor(key: StageKey, steps: number) {
    const since = new Date().toISOString();
    this.progress = { key, step: 0, steps, phase: 'starting', detail: '', since, wish: null };
  }

  /** What the operator wants after the current step. */
  get wish(): Wish | null {
    return this.progress.wish;
  }

  set wish(wish: Wish | null) {
    this.progress.wish = wish;
    this.show();
  }

  phase(phase: string, detail = ''): void {
    if (phase !== this.progress.phase) this.progress.since = new Date().toISOString();
    this.progress.phase = phase;
    this.progress.detail = detail;
    this.show();
  }

  /** Its position in the queue for a trainer; ignored where the stage has one by now. */
  queuedAt({ place, waiting, behind }: QueuePosition): void {
    if (this.progress.phase !== WAITING) return;
    const after = behind.length === 0 ? '' : `, behind ${behind.join(', ')}`;
    this.phase(WAITING, `place ${place} of ${waiting} in the queue${after}`);
  }

  reached(step: number): void {
    this.progress.step = step;
  }

  /** Live changes, numerics changes, verifier changes and alarms that the rows hold. */
  knows({ changes, seams, verifierChanges, alarms }: Partial<Known>): void {
    this.changes = changes ?? this.changes;
    this.seams = seams ?? this.seams;
    this.verifierChanges = verifierChanges ?? this.verifierChanges;
    this.alarms = alarms ?? this.alarms;
    this.show();
  }

  /** Changes just committed. */
  changed(changes: readonly Change[]): void {
    this.knows({ changes: [...this.changes, ...changes] });
  }

  /** A step was computed under other numerics than the one before it. */
  numericsChanged(change: NumericsChange): void {
    this.knows({ seams: [...this.seams, change] });
  }

  /** From this batch on, rewards are scored by other versions of their verifiers. */
  verifiersChanged(change: VerifierChange | undefined): void {
    if (change !== undefined) this.knows({ verifierChanges: [...this.verifierChanges, change] });
  }

  /** Alarms of the step or evaluation just recorded. */
  raised(alarms: readonly RaisedAlarm[] = []): void {
    if (alarms.length === 0) return;
    this.fresh = [...this.fresh, ...alarms];
    this.knows({ alarms: [...this.alarms, ...alarms] });
  }

  /** Alarms raised since the last call. */
  takeRaised(): readonly RaisedAlarm[] {
    const raised = this.fresh;
    this.fresh = [];
    return raised;
  }

  /** Markdown for the UI's details. */
  details(markdown: string): void {
    this.body = markdown;
    this.show();
  }

  /** Sets search attributes. Each call is an event: only at checkpoints and changes of status. */
  attributes(values: { step?: number; reward?: number; status?: string }): void {
    upsertSearchAttributes([
      ...(values.step === undefined ? [] : [{ key: stepKey, value: values.step }]),
      ...(values.reward === undefined ? [] : [{ key: rewardKey, value: values.reward }]),
      ...(values.status === undefined ? [] : [{ key: statusKey, value: values.status }]),
    ]);
  }

  /** From here on an operator can resume, retry or end the stage. */
  suspend(status: 'paused' | 'parked', reason: string): void {
    this.suspended = status;
    this.wish = null;
    this.phase(status, reason);
  }

  /** Waits until an operator has decided. */
  async awaitDecision(): Promise<Decision> {
    await condition(() => this.decision !== null);
    const decision = this.decision ?? { kind: 'resume', rewound: null };
    this.suspended = null;
    this.decision = null;
    return decision;
  }

  decide(decision: Decision): void {
    this.decision = decision;
  }

  /** Whether the stage waits for an operator's decision. */
  get awaitsDecision(): boolean {
    return this.suspended !== null && this.decision === null;
  }

  /** Updates the UI's details; this writes no event. */
  private show(): void {
    const notes = [
      alarmsText(this.alarms),
      numericsChangesText(this.seams),
      verifiersText(this.verifierChanges),
      changesText(this.changes),
    ];
    const parts = [phaseText(this.progress), ...notes, this.body];
    setCurrentDetails(parts.filter((part) => part !== '').join('\n\n'));
  }
}

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

/** Registers the handlers of queries, signals and updates. The Temporal UI offers the updates with their descriptions. */
export function handleMessages(control: StageControl): void {
  setHandler(progressQuery, () => control.progress, { description: 'What the stage is doing now' });
  setHandler(trainerLostSignal, ({ queue }) => void control.lostQueues.add(queue), {
    description: 'Sent by a trainer that replaces one that has died',
  });
  setHandler(placeSignal, (place) => control.queuedAt(place), {
    description: 'Sent to a stage that waits for a trainer whenever its place in the queue changes',
  });
  setHandler(changesCommittedSignal, (changes) => control.changed(changes), {
    description: 'Sent by `r1 set` after it has committed live changes',
  });
  handleRequests(control);
  handleDecisions(control);
  setHandler(setStageUpdate, (request) => commitChanges(control, parsed(setRequestSchema, request)), {
    validator: (request) => void parsed(setRequestSchema, request),
    description:
      'Live changes: {"values": {"learning_rate": 1e-4}, "atStep": 40, "author": "you"}; without atStep they ' +
      'hold from the first step that is not logged yet',
  });
}

/** Requests that a running stage serves after its current step. */
function handleRequests(control: StageControl): void {
  setHandler(pauseStageUpdate, (request) => ask(control, 'pause', request), {
    validator: (request) => {
      parsed(operatorRequestSchema, request);
      refuse(control, control.suspended !== null, 'it is suspended already');
    },
    description: 'Commit a checkpoint after the current step, release the trainer and wait',
  });
  const end = (request?: OperatorRequest) =>
    control.suspended === null ? ask(control, 'end', request) : control.decide({ kind: 'end' });
  const validator = (request?: OperatorRequest) => {
    parsed(operatorRequestSchema, request);
    refuse(
      control,
      control.suspended !== null && !control.awaitsDecision,
      'another operator has just decided',
    );
  };
  setHandler(cancelStageUpdate, end, {
    validator,
    description:
      'End a running stage after the current step, with a checkpoint; committed rows and objects stay',
  });
  setHandler(abortStageUpdate, end, {
    validator,
    description: 'End a paused or parked stage at once; committed rows and objects stay',
  });
}

/** Decisions on a paused or parked stage. */
function handleDecisions(control: StageControl): void {
  setHandler(resumeStageUpdate, (request) => resume(control, parsed(resumeRequestSchema, request)), {
    validator: (request) => {
      parsed(resumeRequestSchema, request);
      refuse(control, !control.awaitsDecision, 'pause it first');
    },
    description:
      'Resume a paused or parked stage; {"from": STEP | "latest" | "s3://…/manifest.json"} resumes after that step or ' +
      'checkpoint on a new branch',
  });
  setHandler(retryStageUpdate, () => control.decide({ kind: 'resume', rewound: null }), {
    validator: (request) => {
      parsed(operatorRequestSchema, request);
      refuse(
        control,
        control.suspended !== 'parked' || !control.awaitsDecision,
        'only a parked stage can be retried',
      );
    },
    description: 'Retry a parked stage from the end of its rows, once the cause is fixed',
  });
}

function ask(control: StageControl, kind: Wish['kind'], request?: OperatorRequest): void {
  control.wish = { kind, author: request?.author ?? null };
}

/** Rewinds first: where that is refused, the stage stays suspended. */
async function resume(control: StageControl, { from }: ResumeRequest): Promise<Rewound | null> {
  const rewound = from === undefined ? null : await rewind(control, from);
  refuse(control, !control.awaitsDecision, 'another operator has decided meanwhile');
  control.decide({ kind: 'resume', rewound });
  return rewound;
}

function rewind({ progress: { key } }: StageControl, from: NonNullable<ResumeRequest['from']>) {
  const summary = `a new branch from ${from}`;
  return refusable(orchestrator.rewindStage.executeWithOptions({ summary }, [{ key, from }]));
}

async function commitChanges(control: StageControl, request: SetRequest): Promise<Change[]> {
  const { key } = control.progress;
  const summary = `live changes: ${Object.keys(request.values).join(', ')}`;
  const changes = await refusable(
    orchestrator.commitChanges.executeWithOptions({ summary }, [{ key, request }]),
  );
  control.changed(changes);
  return changes;
}

/** Where the activity fails, the update is refused with its message and the stage does not change. */
async function refusable<Result>(call: Promise<Result>): Promise<Result> {
  try {
    return await call;
  } catch (error) {
    const { message } = innermost(error);
    throw ApplicationFailure.nonRetryable(message, failureKind(error));
  }
}

function refuse({ progress }: StageControl, refused: boolean, why: string): void {
  if (refused) throw ApplicationFailure.nonRetryable(`the stage is ${progress.phase}: ${why}`, 'Refused');
}

/** A message's argument; the Temporal UI may send none. Throws 'InvalidInput' that names what was expected. */
function parsed<Schema extends z.ZodType>(schema: Schema, request: unknown): z.infer<Schema> {
  const result = schema.safeParse(request ?? {});
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => [...path, message].join(': '));
  throw ApplicationFailure.nonRetryable(problems.join('; '), 'InvalidInput');
}
