import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { condition, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { NumericsChange, VerifierChange } from '../contracts/activities.ts';
import type { RaisedAlarm } from '../contracts/alarms.ts';
import type { StageKey } from '../contracts/identity.ts';
import type { Rewound, Wish } from '../contracts/operator.ts';
import type { Change } from '../contracts/options.ts';
import { type QueuePosition, type StageProgress, searchAttributes } from '../contracts/workflows.ts';
import { alarmsText, changesText, numericsChangesText, phaseText, verifiersText } from './stage-details.ts';

const stepKey = defineSearchAttributeKey(searchAttributes.step, SearchAttributeType.INT);
const rewardKey = defineSearchAttributeKey(searchAttributes.reward, SearchAttributeType.DOUBLE);
const statusKey = defineSearchAttributeKey(searchAttributes.status, SearchAttributeType.KEYWORD);

/** The phase of a stage that wants a trainer and has none. */
export const WAITING = 'waiting for a trainer';

/** What an operator decided on a stage that rests. */
export type Decision = { kind: 'resume'; rewound: Rewound | null } | { kind: 'end' };

/** What a stage's rows hold for people to know. */
interface Known {
  changes: readonly Change[];
  seams: readonly NumericsChange[];
  verifierChanges: readonly VerifierChange[];
  alarms: readonly RaisedAlarm[];
}

/**
 * Where a stage's workflow meets people: what it shows (progress, details in the UI, search attributes) and
 * what it was told. `workflows/stage-messages.ts` hears what people say.
 */
export class StageDesk {
  readonly lostQueues = new Set<string>();
  readonly progress: StageProgress;
  /** how the stage rests, from the moment at which it does until somebody decides */
  resting: 'paused' | 'parked' | null = null;
  private decision: Decision | null = null;
  private body = '';
  private changes: readonly Change[] = [];
  private seams: readonly NumericsChange[] = [];
  private verifierChanges: readonly VerifierChange[] = [];
  private alarms: readonly RaisedAlarm[] = [];
  /** raised and not yet acted upon */
  private fresh: readonly RaisedAlarm[] = [];

  constructor(key: StageKey, steps: number) {
    const since = new Date().toISOString();
    this.progress = { key, step: 0, steps, phase: 'starting', detail: '', since, wish: null };
  }

  /** What the operator wants at the next step's boundary. */
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

  /** Its place among those that wait for a trainer; one that comes too late is not shown. */
  queuedAt({ place, waiting, behind }: QueuePosition): void {
    if (this.progress.phase !== WAITING) return;
    const after = behind.length === 0 ? '' : `, behind ${behind.join(', ')}`;
    this.phase(WAITING, `place ${place} of ${waiting} in the queue${after}`);
  }

  reached(step: number): void {
    this.progress.step = step;
  }

  /** What the rows hold of live changes, seams and alarms. */
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

  /** A step under other numerics than the one before it. */
  numericsChanged(seam: NumericsChange): void {
    this.knows({ seams: [...this.seams, seam] });
  }

  /** Rewards that other versions of their verifiers judge from this batch on. */
  judgedOtherwise(change: VerifierChange | undefined): void {
    if (change !== undefined) this.knows({ verifierChanges: [...this.verifierChanges, change] });
  }

  /** Alarms of the step or evaluation just recorded. */
  raised(alarms: readonly RaisedAlarm[] = []): void {
    if (alarms.length === 0) return;
    this.fresh = [...this.fresh, ...alarms];
    this.knows({ alarms: [...this.alarms, ...alarms] });
  }

  /** What was raised since this was last asked. */
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

  /** Search attributes; each call is an event, so only at checkpoints and changes of status. */
  attributes(values: { step?: number; reward?: number; status?: string }): void {
    upsertSearchAttributes([
      ...(values.step === undefined ? [] : [{ key: stepKey, value: values.step }]),
      ...(values.reward === undefined ? [] : [{ key: rewardKey, value: values.reward }]),
      ...(values.status === undefined ? [] : [{ key: statusKey, value: values.status }]),
    ]);
  }

  /** From here on the stage can be told how to go on. */
  rest(status: 'paused' | 'parked', reason: string): void {
    this.resting = status;
    this.wish = null;
    this.phase(status, reason);
  }

  /** Waits until an operator has decided on a stage that rests. */
  async awaitDecision(): Promise<Decision> {
    await condition(() => this.decision !== null);
    const decision = this.decision ?? { kind: 'resume', rewound: null };
    this.resting = null;
    this.decision = null;
    return decision;
  }

  decide(decision: Decision): void {
    this.decision = decision;
  }

  /** Whether it rests and nobody has decided yet. */
  get isOpen(): boolean {
    return this.resting !== null && this.decision === null;
  }

  /** Writes no event. */
  private show(): void {
    const told = [
      alarmsText(this.alarms),
      numericsChangesText(this.seams),
      verifiersText(this.verifierChanges),
      changesText(this.changes),
    ];
    const parts = [phaseText(this.progress), ...told, this.body];
    setCurrentDetails(parts.filter((part) => part !== '').join('\n\n'));
  }
}
