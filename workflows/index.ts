/** The workflows that the orchestrator serves: what happens, in what order. */
export { reinforcementStage } from './reinforcement-stage.ts';
export { rewardModelStage } from './reward-model-stage.ts';
export { sampleModel } from './sampling.ts';
export { supervisedStage } from './supervised-stage.ts';
export { trainingRun } from './training-run.ts';
