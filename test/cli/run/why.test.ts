import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whyOf, withoutStack } from '../../../cli/run/why.ts';
import type { WhyFacts, WorkflowFacts } from '../../../cli/run/why-facts.ts';
import { whyDocument } from '../../../contracts/documents.ts';
import { showFixture } from '../fixtures.ts';

const now = Date.parse('2024-05-01T12:10:00.000Z');
const before = (seconds: number) => new Date(now - 1000 * seconds).toISOString();

const workflow: WorkflowFacts = {
  run: true,
  stage: true,
  progress: {
    key: { run: 'small-1', stage: 'zero' },
    step: 1,
    steps: 4,
    phase: 'sampling',
    detail: '',
    since: before(3),
    wish: null,
  },
  pending: [],
  silentSince: null,
  served: { orchestrator: true, trainer: true, rewards: true, score: true },
};

const process = (
  role: 'orchestrator' | 'trainer' | 'rewards',
  state: 'running' | 'backing-off' = 'running',
) => ({
  name: role,
  role,
  state,
  restarts: 0,
});

function facts(of: Partial<WorkflowFacts> = {}, other: Partial<WhyFacts> = {}): WhyFacts {
  return {
    now,
    run: 'small-1',
    processes: [process('orchestrator'), process('trainer'), process('rewards')],
    fullDisks: [],
    rows: { value: { show: showFixture({ status: 'running' }), others: [] } },
    objects: { value: null },
    temporal: { value: { ...workflow, ...of } },
    ...other,
  };
}

const call = (activity: string, of: Partial<WorkflowFacts['pending'][number]> = {}) => ({
  activity,
  started: false,
  attempt: 1,
  lastFailure: null,
  scheduledAt: before(120),
  ...of,
});

function resting(status: 'paused' | 'parked', reason: string): WhyFacts['rows'] {
  return { value: { show: showFixture({ status, stageStatus: status, reason }), others: [] } };
}

/** Facts, what the run is said to wait for, and words of the paragraph. */
const CASES: Record<string, [WhyFacts, string, RegExp]> = {
  'a run that gets on tells its phase and since when': [
    facts(),
    'work',
    /^small-1 is working: zero is at step 1 of 4, sampling, for 3 s\. Alive: orchestrator, trainer, rewards\.$/,
  ],
  'what an operator has asked for and is still to come is told': [
    facts({
      progress: workflow.progress && { ...workflow.progress, wish: { kind: 'pause', author: 'ada' } },
    }),
    'work',
    /ada has requested pause after the current step\.$/,
  ],
  'a paused run says where, by whom and how to continue': [
    facts({}, { rows: resting('paused', 'at step 1, by ada') }),
    'operator',
    /zero is paused at step 1, by ada.*its trainer is released\. `r1 resume small-1` continues it;/,
  ],
  'a parked run tells its reason and the ways on': [
    facts({}, { rows: resting('parked', 'trainStep: OutOfResources: no memory') }),
    'operator',
    /parked at step 1 of 4.*OutOfResources: no memory\. `r1 retry small-1` retries.*`r1 abort small-1` ends it\.$/,
  ],
  'a free trainer that is missing is missed, with who may hold one': [
    facts(
      { pending: [call('acquire')], served: { ...workflow.served, trainer: false } },
      {
        processes: [process('trainer', 'backing-off')],
        rows: { value: { show: showFixture({ status: 'running' }), others: ['other-1'] } },
      },
    ),
    'trainer',
    /waits for a trainer, for 2 min:.*trainer is backing-off.*other-1.*`r1 pause other-1` releases its trainer/,
  ],
  'trainers that listen and take nothing are not free': [
    facts({ pending: [call('acquire')] }),
    'trainer',
    /no free one takes it/,
  ],
  'a trainer that was asked for just now is not missed': [
    facts({ pending: [call('acquire', { scheduledAt: before(1) })] }),
    'work',
    /is working/,
  ],
  'a full disk is told before what fails for want of room': [
    facts(
      {},
      {
        fullDisks: [{ folder: '/data', freeBytes: 3 * 2 ** 20 }],
        objects: { error: 'S3 is away' },
      },
    ),
    'disk',
    /waits for disk space: the disk of \/data is full \(3 MiB left\): free some space, and waiting runs continue by themselves.*step 1 of 4/,
  ],
  'a full disk is told where the rows cannot be read': [
    facts(
      {},
      {
        fullDisks: [{ folder: '/data', freeBytes: 0 }],
        rows: { error: 'PostgreSQL is away' },
        temporal: { error: 'Temporal is away' },
      },
    ),
    'disk',
    /waits for disk space: .*\/data is full \(0 MiB left\)/,
  ],
  'a run that has ended waits for no room': [
    facts(
      {},
      {
        fullDisks: [{ folder: '/data', freeBytes: 0 }],
        rows: { value: { show: showFixture({ status: 'complete' }), others: [] } },
      },
    ),
    'nothing',
    /it is complete/,
  ],
  'a run in the queue tells its place and who comes first': [
    facts(
      {
        pending: [
          call('awaitTurn', {
            attempt: 90,
            lastFailure: 'place 2 of 3 in the queue for a trainer, behind other-1/zero',
          }),
        ],
      },
      { rows: { value: { show: showFixture({ status: 'running' }), others: ['other-1'] } } },
    ),
    'trainer',
    /waits for a trainer, for 2 min:.*place 2 of 3 in the queue for a trainer, behind other-1\/zero\..*`r1 pause other-1`/,
  ],
  'a worker for reward models that is missing is missed': [
    facts({ pending: [call('score')], served: { ...workflow.served, score: false } }),
    'rewards',
    /waits for a worker that scores with reward models, for 2 min.*task queue score/,
  ],
  'a reward worker that is missing is missed': [
    facts({ pending: [call('scoreRollout')], served: { ...workflow.served, rewards: false } }),
    'rewards',
    /waits for a reward worker, for 2 min/,
  ],
  'an orchestrator that is missing is missed': [
    facts({ progress: null, served: { ...workflow.served, orchestrator: false } }),
    'orchestrator',
    /no worker of the task queue r1 answers/,
  ],
  'an orchestrator that listens and takes nothing is missed': [
    facts({ progress: null, silentSince: before(60) }),
    'orchestrator',
    /waits for an orchestrator/,
  ],
  'a call that is tried again is told with what it failed with': [
    facts({ pending: [call('makeBatch', { attempt: 7, lastFailure: 'S3 cannot be reached' })] }),
    'another-try',
    /retries makeBatch \(attempt 7\), for 2 min:.*S3 cannot be reached\.$/,
  ],
  'a run whose workflow is gone can be taken up again': [
    facts({ run: false, stage: false, progress: null }),
    'workflow',
    /its workflow, which is gone.*step 1 of 4\. `r1 resume small-1` continues from the rows/,
  ],
  'S3 that is away is named': [facts({}, { objects: { error: 'S3 is away' } }), 'objects', /S3 is away\./],
  'Temporal that is away is named, with what the rows say': [
    facts({}, { temporal: { error: 'Temporal is away' } }),
    'temporal',
    /Temporal is away\. Its rows say running: zero running, step 1 of 4\./,
  ],
  'PostgreSQL that is away is named': [
    facts({}, { rows: { error: 'PostgreSQL is away' } }),
    'database',
    /PostgreSQL is away\. Temporal answers/,
  ],
  'a complete run waits for nothing, whatever is away': [
    facts(
      {},
      {
        rows: { value: { show: showFixture({ status: 'complete', step: 4 }), others: [] } },
        temporal: { error: 'away' },
      },
    ),
    'nothing',
    /it is complete\. zero reached step 4 of 4\./,
  ],
};

test('of stages side by side the one that waits for an operator is told', () => {
  const show = showFixture({ status: 'running' });
  const [running] = show.stages;
  assert.ok(running);
  const parked = {
    ...running,
    stage: 'reward-model/safety',
    status: 'parked' as const,
    reason: 'it ranks badly',
  };
  const rows = { value: { show: { ...show, stages: [running, parked] }, others: [] } };
  const why = whyOf(facts({}, { rows }));
  assert.deepEqual([why.stage, why.waitsFor], ['reward-model/safety', 'operator']);
  assert.match(why.text, /it ranks badly.*`r1 retry small-1`/);
});

for (const [claim, [given, waitsFor, words]] of Object.entries(CASES)) {
  test(claim, () => {
    const why = whyDocument.parse(whyOf(given));
    assert.equal(why.waitsFor, waitsFor);
    assert.match(why.text, words);
  });
}

test('without a stack the run waits for it', () => {
  const why = whyDocument.parse(withoutStack(undefined));
  assert.deepEqual([why.waitsFor, why.run], ['stack', null]);
  assert.match(why.text, /^The run waits for the stack.*`r1 up` starts it/);
});
