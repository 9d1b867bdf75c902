/** The workflows that the orchestrator serves: what happens, in what order. */
export { reinforcementStage } from './reinforcement-stage.ts';
export { trainingRun } from './training-run.ts';
