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
import { messages, type StageProgress, searchAttributes } from '../contracts/workflows.ts';

export const progressQuery = defineQuery<StageProgress>(messages.progress);
export const retryStageUpdate = defineUpdate<void>(messages.retry);
export const abortStageUpdate = defineUpdate<void>(messages.abort);
export const trainerLostSignal = defineSignal<[{ queue: string }]>(messages.trainerLost);

const stepKey = defineSearchAttributeKey(searchAttributes.step, SearchAttributeType.INT);
const rewardKey = defineSearchAttributeKey(searchAttributes.reward, SearchAttributeType.DOUBLE);
const statusKey = defineSearchAttributeKey(searchAttributes.status, SearchAttributeType.KEYWORD);

type Decision = 'retry' | 'abort';

/**
 * Where a stage's workflow meets people: what it shows (progress, details in the UI, search attributes) and
 * what it is told (retry, abort, a trainer's death).
 */
export class StageDesk {
  readonly lostQueues = new Set<string>();
  private readonly progress: StageProgress;
  private decision: Decision | null = null;
  private parked = false;

  constructor(key: StageKey, steps: number) {
    this.progress = { key, step: 0, steps, phase: 'starting', detail: '' };
    const onlyWhenParked = {
      validator: () => {
        if (!this.parked) throw new Error(`the stage is not parked: it is ${this.progress.phase}`);
      },
    };
    setHandler(progressQuery, () => this.progress, { description: 'What the stage is doing now' });
    setHandler(trainerLostSignal, ({ queue }) => void this.lostQueues.add(queue), {
      description: 'Sent by a trainer that starts where another has died',
    });
    setHandler(retryStageUpdate, () => this.decide('retry'), {
      ...onlyWhenParked,
      description: 'Take a parked stage up again from its last committed step',
    });
    setHandler(abortStageUpdate, () => this.decide('abort'), {
      ...onlyWhenParked,
      description: 'End a parked stage; its checkpoints stay',
    });
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

  /** Waits for an operator's word on a parked stage. */
  async decisionOnParked(reason: string): Promise<Decision> {
    this.phase('parked', reason);
    this.parked = true;
    await condition(() => this.decision !== null);
    const decision = this.decision ?? 'retry';
    this.parked = false;
    this.decision = null;
    return decision;
  }

  private decide(decision: Decision): void {
    this.decision = decision;
  }
}
