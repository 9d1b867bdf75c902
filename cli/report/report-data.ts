import type { ResponseParts } from '../../algorithm/data/response-parts.ts';
import type { SampleCounts } from '../../contracts/datasets.ts';
import type { EvaluationDocument, ShowDocument, StepDocument } from '../../contracts/documents.ts';
import type { EvaluationOptions } from '../../contracts/options.ts';
import type { StageCost } from '../../stores/runs/stage-costs.ts';

/** All data of a run's report; page and summary are made from it alone. */
export interface ReportData {
  show: ShowDocument;
  description: string;
  /** whether to show the paper's numbers */
  withPaper: boolean;
  /** sampling options of the evaluations */
  evaluation: EvaluationOptions;
  /** full and quick evaluations of the current branches, in order */
  evaluations: (EvaluationDocument & { quick: boolean })[];
  /** steps of the current branches */
  steps: StepDocument[];
  costs: StageCost[];
  /** stage → budget in minutes; stages without one are left out */
  budgets: ReadonlyMap<string, number>;
  funnels: StageFunnel[];
  answers: AnsweredPrompt[];
  links: { run: string | null; stages: Record<string, string | null> };
  /** time of the report, ISO 8601 */
  madeAt: string;
}

/** The samples for a supervised stage: how many each rule rejected, and what joined them. */
export interface StageFunnel {
  stage: string;
  /** stage whose policy sampled */
  from: string;
  counts: SampleCounts;
  /** rows of the data set, including joined ones; null before it exists */
  rows: number | null;
}

/** A held-out prompt with the first answer of each policy. */
export interface AnsweredPrompt {
  problem: string;
  answer: string;
  domain: string;
  responses: PolicyResponse[];
}
export interface PolicyResponse {
  /** stage, or model before training */
  policy: string;
  text: string;
  /** null where thinking and answer cannot be separated */
  parts: ResponseParts | null;
  /** null where the verifier gave no verdict */
  correct: boolean | null;
}
