/**
 * Each kind of operation: the calls it makes, and the objects and rows that the activities behind them write. Bytes follow
 * the records' formats (`contracts/records.ts`).
 */
import { type Operation, operation } from './operation.ts';

/** Events: scheduled, started, completed, of an activity and of the workflow task that its answer wakes. */
const ACTIVITY = 6;
/** A workflow's first event and last, and its first task. */
const FRAME = 5;
/** Search attributes set for the UI's lists. */
const ATTRIBUTES = 1;

/** float32, int32 */
const NUMBER = 4;
/** JSON at the head of a record; a checkpoint's manifest; a configuration or a tokenizer. */
const HEADER = 700;
const MANIFEST = 4_000;
const COMPANION = 100_000;
/** UTF-8 of one token of text, at most: a common tokenizer's mean; one by characters has less. */
const TEXT = 4;
/** As JSON: a seed; what stands beside a drawn prompt's text; a verdict. */
const SEED = 23;
const DRAWN_PROMPT = 170;
const VERDICT = 30;

/** Responses that one request samples. */
export interface Sampling {
  prompts: number;
  promptTokens: number;
  responses: number;
  /** of all responses */
  tokens: number;
  /** rewards by rule that judge each */
  rewards: number;
}

const requestBytes = ({ prompts, promptTokens, responses }: Sampling) =>
  HEADER + responses * SEED + prompts * (DRAWN_PROMPT + (TEXT + NUMBER) * promptTokens + NUMBER);
/** Tokens and their log-probabilities, lengths, and which were cut. */
const rolloutBytes = ({ responses, tokens }: Sampling) =>
  HEADER + 2 * NUMBER * responses + 2 * NUMBER * tokens;
const scoresBytes = ({ responses, tokens, rewards }: Sampling) =>
  HEADER + rewards * responses * VERDICT + TEXT * tokens;
const sampledObjects = (sampling: Sampling) => [
  requestBytes(sampling),
  rolloutBytes(sampling),
  scoresBytes(sampling),
];

/** A stage is opened: the plan, its place, and the status `running`. */
export const opening = (): Operation => operation({ events: FRAME + 2 * ACTIVITY + ATTRIBUTES });

/** A trainer loads a policy under a new term. */
export const acquiring = (): Operation => operation({ events: 2 * ACTIVITY, rows: { terms: 1 } });

export const releasing = (): Operation => operation({ events: ACTIVITY });

/** The trainer is given back, and the end is written down and shown. */
export const ending = (): Operation => operation({ events: 2 * ACTIVITY + ATTRIBUTES });

/** Further models of the run that judge a rollout, and policies whose log-probabilities are computed apart. */
export interface RolloutExtras {
  models: number;
  policies: number;
  /** one round, joined: the least that dynamic sampling does */
  joins: boolean;
}

/** Draw, sample, score; each model's scores and all joined; log-probabilities. */
export function rollout(sampling: Sampling, { models, policies, joins }: RolloutExtras): Operation {
  const scorings = models === 0 ? 0 : models + 1;
  const { prompts, responses, tokens } = sampling;
  return operation({
    completions: responses,
    tokensSampled: tokens,
    tokensRead: (models + policies) * tokens,
    events: ACTIVITY * (3 + scorings + Math.min(1, policies) + (joins ? 1 : 0)),
    objects: [
      ...sampledObjects(sampling),
      ...(joins ? sampledObjects(sampling) : []),
      ...Array<number>(scorings).fill(scoresBytes(sampling)),
      ...(policies === 0 ? [] : [HEADER + policies * NUMBER * tokens]),
    ],
    rows: { prompt_uses: prompts },
  });
}

/** What one step trains on. */
export interface Batch {
  responses: number;
  tokens: number;
  promptTokens: number;
  /** numbers logged of each token: its id, log-probabilities */
  perToken: number;
  /** whether prompts count as trained on: of a reward model, which scores the whole */
  withPrompts?: boolean;
}

/** Log the batch, train on it, record the step. */
export const step = ({ responses, tokens, promptTokens, perToken, withPrompts = false }: Batch): Operation =>
  operation({
    tokensTrained: tokens + (withPrompts ? responses * promptTokens : 0),
    events: 3 * ACTIVITY,
    objects: [3 * HEADER + responses * NUMBER * (promptTokens + 5) + perToken * NUMBER * tokens],
    rows: { batches: 1, steps: 1 },
  });

/** Weights, AdamW's two segments of each, the manifest; a reference policy where it is another than at the last one. */
export const checkpoint = (parameters: number, { withReference }: { withReference: boolean }): Operation => {
  const weights = NUMBER * parameters;
  return operation({
    events: 2 * ACTIVITY + ATTRIBUTES,
    objects: [weights, 2 * weights, MANIFEST, ...(withReference ? [weights] : [])],
    rows: { checkpoints: 1 },
  });
};

/** Draw, sample, score, figures. */
export const evaluation = (sampling: Sampling): Operation =>
  operation({
    evaluationCompletions: sampling.responses,
    tokensSampled: sampling.tokens,
    events: 4 * ACTIVITY,
    objects: sampledObjects(sampling),
    rows: { evaluations: 1 },
  });

/** Draw, sample, score, select. */
export const samplePart = (sampling: Sampling): Operation =>
  operation({
    completions: sampling.responses,
    tokensSampled: sampling.tokens,
    events: 4 * ACTIVITY,
    objects: [...sampledObjects(sampling), TEXT * sampling.tokens],
    rows: { sample_parts: 1, text_shards: 1, samples: sampling.responses },
  });

/** What examples there are is read; where there are none, the data set is made, or another stage's taken over. */
export const readingExamples = (): Operation => operation({ events: ACTIVITY });
export const dataset = (rows: number): Operation =>
  operation({ events: ACTIVITY, rows: { datasets: 1, dataset_builds: 1, dataset_rows: rows } });
export const datasetTakenOver = (): Operation => operation({ events: ACTIVITY });

/** A policy under a fresh scalar head: weights, configuration, the tokenizer's two files, the manifest. */
export const scalarHead = (parameters: number): Operation =>
  operation({ objects: [NUMBER * parameters, COMPANION, COMPANION, COMPANION, MANIFEST] });

/** Held-out preferences are ranked. */
export const ranking = (): Operation => operation({ events: ACTIVITY });

/** The run's own row and its stages', and its workflow: plan, status; of each stage begun, started and ended. */
export const launching = (stages: number): Operation =>
  operation({ events: FRAME + 2 * ACTIVITY + 9 * stages, rows: { runs: 1, stages, branches: stages } });
