import type { ResponseParts } from '../../algorithm/data/response-parts.ts';
import type { SampleCounts } from '../../contracts/datasets.ts';
import type { EvaluationDocument, ShowDocument, StepDocument } from '../../contracts/documents.ts';
import type { EvaluationOptions } from '../../contracts/options.ts';
import type { StageCost } from '../../stores/runs/stage-costs.ts';

/** Everything that a run's report says, gathered from rows and objects; the page and the summary are made of it alone. */
export interface ReportData {
  show: ShowDocument;
  description: string;
  /** whether the paper's figures stand beside the run's */
  withPaper: boolean;
  /** how the policies were measured */
  evaluation: EvaluationOptions;
  /** whole and quick ones of the stages' current branches, in the order of their making */
  evaluations: (EvaluationDocument & { quick: boolean })[];
  /** of the stages' current branches */
  steps: StepDocument[];
  costs: StageCost[];
  /** stage → minutes that it was given; without those that were given none */
  budgets: ReadonlyMap<string, number>;
  funnels: StageFunnel[];
  answers: AnsweredPrompt[];
  links: { run: string | null; stages: Record<string, string | null> };
  /** when it was gathered, ISO 8601 */
  madeAt: string;
}

/** What became of the samples of a supervised stage's policy, and of what joined them. */
export interface StageFunnel {
  stage: string;
  /** the stage whose policy sampled */
  from: string;
  counts: SampleCounts;
  /** rows of the data set, joined ones among them; null until it is made */
  rows: number | null;
}

/** One held-out prompt and what each policy answered first. */
export interface AnsweredPrompt {
  problem: string;
  answer: string;
  domain: string;
  responses: PolicyResponse[];
}
export interface PolicyResponse {
  /** the stage, or the model before any */
  policy: string;
  text: string;
  /** null where its form does not tell thinking from answer */
  parts: ResponseParts | null;
  /** null where the verifier had no verdict */
  correct: boolean | null;
}
