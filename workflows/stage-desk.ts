import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import {
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { StageKey } from '../contracts/identity.ts';
import {
  messages,
  type ResumeRequest,
  type StageProgress,
  searchAttributes,
} from '../contracts/workflows.ts';

export const progressQuery = defineQuery<StageProgress>(messages.progress);
export const pauseStageUpdate = defineUpdate<void>(messages.pause);
export const resumeStageUpdate = defineUpdate<void, [ResumeRequest]>(messages.resume);
export const abortStageUpdate = defineUpdate<void>(messages.abort);
export const trainerLostSignal = defineSignal<[{ queue: string }]>(messages.trainerLost);

const stepKey = defineSearchAttributeKey(searchAttributes.step, SearchAttributeType.INT);
const rewardKey = defineSearchAttributeKey(searchAttributes.reward, SearchAttributeType.DOUBLE);
const statusKey = defineSearchAttributeKey(searchAttributes.status, SearchAttributeType.KEYWORD);

/** What an operator decided on a stage that rests. */
export type Decision = { kind: 'resume'; fromStep: number | null } | { kind: 'abort' };

/**
 * Where a stage's workflow meets people: what it shows (progress, details in the UI, search attributes) and
 * what it is told (pause, resume, abort, a trainer's death).
 */
export class StageDesk {
  readonly lostQueues = new Set<string>();
  private readonly progress: StageProgress;
  private decision: Decision | null = null;
  private resting = false;
  private askedToRest: 'pause' | 'abort' | null = null;

  constructor(key: StageKey, steps: number) {
    this.progress = { key, step: 0, steps, phase: 'starting', detail: '' };
    setHandler(progressQuery, () => this.progress, { description: 'What the stage is doing now' });
    setHandler(trainerLostSignal, ({ queue }) => void this.lostQueues.add(queue), {
      description: 'Sent by a trainer that starts where another has died',
    });
    setHandler(pauseStageUpdate, () => this.ask('pause'), {
      validator: () => this.refuseWhen(this.resting, 'it rests already'),
      description: 'Commit a checkpoint at the next step, give the trainer back and wait',
    });
    setHandler(
      resumeStageUpdate,
      ({ fromStep }) => this.decide({ kind: 'resume', fromStep: fromStep ?? null }),
      {
        validator: (_request: ResumeRequest) => this.refuseWhen(!this.resting, 'pause it first'),
        description: 'Go on with a paused or parked stage, on a new branch where a step is named',
      },
    );
    setHandler(abortStageUpdate, () => (this.resting ? this.decide({ kind: 'abort' }) : this.ask('abort')), {
      description: 'End the stage at the next step; its checkpoints stay',
    });
  }

  /** What the operator wants at the next step's boundary. */
  get wish(): 'pause' | 'abort' | null {
    return this.askedToRest;
  }

  phase(phase: string, detail = ''): void {
    this.progress.phase = phase;
    this.progress.detail = detail;
  }

  reached(step: number): void {
    this.progress.step = step;
  }

  /** Markdown for the UI's details; writes no event. */
  details(markdown: string): void {
    setCurrentDetails(markdown);
  }

  /** Search attributes; each call is an event, so only at checkpoints and changes of status. */
  attributes(values: { step?: number; reward?: number; status?: string }): void {
    upsertSearchAttributes([
      ...(values.step === undefined ? [] : [{ key: stepKey, value: values.step }]),
      ...(values.reward === undefined ? [] : [{ key: rewardKey, value: values.reward }]),
      ...(values.status === undefined ? [] : [{ key: statusKey, value: values.status }]),
    ]);
  }

  /** Rests, paused or parked, until an operator decides. */
  async awaitDecision(phase: 'paused' | 'parked', reason: string): Promise<Decision> {
    this.phase(phase, reason);
    this.resting = true;
    this.askedToRest = null;
    await condition(() => this.decision !== null);
    const decision = this.decision ?? { kind: 'resume', fromStep: null };
    this.resting = false;
    this.decision = null;
    return decision;
  }

  private ask(wish: 'pause' | 'abort'): void {
    this.askedToRest = wish;
  }

  private decide(decision: Decision): void {
    this.decision = decision;
  }

  private refuseWhen(refused: boolean, why: string): void {
    if (refused) throw new Error(`the stage is ${this.progress.phase}: ${why}`);
  }
}
