/** The embedded trainer, and the reward worker, which serves `score`, as the contract's suite starts them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeRewardModel } from '../../activities/orchestrator/stages/make-reward-model.ts';
import { PROJECT_ROOT } from '../../infra/paths.ts';
import { importTinyPolicy, tinyConfig } from '../activities/tiny-policy.ts';
import type { WorkerKind } from './session.ts';

/** whether a reward worker was started: one is enough for the suite */
let scores = false;

const exitOf = (child: ChildProcess) => new Promise((resolve) => child.once('exit', resolve));

export const embedded: WorkerKind = {
  name: 'the embedded trainer',
  start({ temporal, s3 }) {
    const home = mkdtempSync(join(tmpdir(), 'r1-contract-'));
    const { PATH, HOME } = process.env;
    const env = {
      PATH,
      HOME,
      R1_HOME: home,
      R1_THREADS: '1',
      R1_TEMPORAL_ADDRESS: temporal.address,
      R1_TEMPORAL_NAMESPACE: temporal.namespace,
      R1_S3_ENDPOINT: s3.endpoint,
      R1_S3_BUCKET: s3.bucket,
      R1_S3_REGION: s3.region,
      R1_S3_ACCESS_KEY_ID: s3.accessKeyId,
      R1_S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
      // `score` needs no database.
      R1_DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
      R1_S3_FORCE_PATH_STYLE: String(s3.forcePathStyle),
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    };
    const stdio = process.env.R1_CONTRACT_LOG ? 'inherit' : 'ignore';
    const run = (worker: string) =>
      spawn(process.execPath, ['--import', 'tsx', `workers/${worker}.ts`], {
        cwd: PROJECT_ROOT,
        env,
        stdio: ['ignore', 'ignore', stdio],
      });
    const child = run('trainer');
    const scorer = scores ? null : run('rewards');
    scores = true;
    child.once('exit', () => scorer?.kill('SIGKILL'));
    const processes = scorer === null ? [child] : [child, scorer];
    const ended = Promise.all(processes.map(exitOf)).then(() =>
      rmSync(home, { recursive: true, force: true }),
    );
    return { signal: (signal) => void child.kill(signal), ended };
  },
  async storeBase(objects) {
    const origin = await importTinyPolicy(objects);
    const { manifest, digests } = origin;
    const rewardModel = await makeRewardModel(objects, { origin, runSeed: 7n, stage: 'reward-model/safety' });
    return {
      manifest,
      weightsDigest: digests.weights,
      vocabulary: tinyConfig.vocab_size,
      eosTokenIds: [1],
      positions: tinyConfig.max_position_embeddings,
      rewardModel: rewardModel.manifest,
    };
  },
};
