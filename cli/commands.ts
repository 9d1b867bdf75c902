import type { Command } from 'commander';

/** A command's own module: adds description, arguments, options, example and action. */
interface CommandModule {
  define(command: Command): void;
}

interface Entry {
  /** one line, for the list of commands */
  summary: string;
  load(): Promise<CommandModule>;
}

/** Every command, in the order in which a person needs them. A module is loaded when it is asked for. */
export const commands: Record<string, Entry> = {
  start: {
    summary: 'bring everything up and train R1-Zero in miniature',
    load: () => import('./commands/start.ts'),
  },
  up: { summary: 'start the local stack and its workers', load: () => import('./commands/up.ts') },
  down: { summary: 'stop the local stack', load: () => import('./commands/down.ts') },
  status: { summary: 'show servers and processes', load: () => import('./commands/status.ts') },
  launch: { summary: 'launch a run of a recipe', load: () => import('./commands/launch.ts') },
  watch: { summary: 'follow a run as it trains', load: () => import('./commands/watch.ts') },
  why: { summary: 'tell what a run waits for', load: () => import('./commands/why.ts') },
  set: { summary: 'change numbers of a run under way', load: () => import('./commands/set.ts') },
  pause: { summary: 'pause a run at the next step', load: () => import('./commands/pause.ts') },
  resume: { summary: 'go on with a paused or parked run', load: () => import('./commands/resume.ts') },
  retry: { summary: 'try a parked run again', load: () => import('./commands/retry.ts') },
  cancel: { summary: 'end a run at the next step', load: () => import('./commands/cancel.ts') },
  abort: { summary: 'end a paused or parked run at once', load: () => import('./commands/abort.ts') },
  runs: { summary: 'list all runs', load: () => import('./commands/runs.ts') },
  show: { summary: 'show a run: stages, checkpoints, evaluations', load: () => import('./commands/show.ts') },
  steps: { summary: 'list the steps of a run with their figures', load: () => import('./commands/steps.ts') },
  samples: {
    summary: 'list what a run sampled for its data, accepted or rejected',
    load: () => import('./commands/samples.ts'),
  },
  datasets: { summary: 'list all data sets', load: () => import('./commands/datasets.ts') },
  dataset: {
    summary: 'show, compare or export a data set',
    load: () => import('./commands/dataset.ts'),
  },
  report: {
    summary: 'write what became of a run as one HTML page',
    load: () => import('./commands/report.ts'),
  },
  generate: { summary: 'let a checkpoint answer a prompt', load: () => import('./commands/generate.ts') },
  eval: { summary: 'measure a checkpoint on held-out problems', load: () => import('./commands/eval.ts') },
  export: {
    summary: 'write a checkpoint as a Hugging Face folder',
    load: () => import('./commands/export.ts'),
  },
  doctor: {
    summary: 'say what this machine lacks, and what to do',
    load: () => import('./commands/doctor.ts'),
  },
  import: { summary: 'bring in data sets, checked row by row', load: () => import('./commands/import.ts') },
  verify: { summary: 'score responses by the verifiers', load: () => import('./commands/verify.ts') },
  serve: {
    summary: 'serve the verifiers over HTTP as a remote reward function',
    load: () => import('./commands/serve.ts'),
  },
  pretrain: { summary: 'make the nano base model', load: () => import('./commands/pretrain.ts') },
};
