import assert from 'node:assert/strict';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { noFailpoints } from '../../../../activities/failpoints.ts';
import { exampleTokens } from '../../../../activities/orchestrator/examples/example-tokens.ts';
import { makeSupervisedBatch } from '../../../../activities/orchestrator/examples/make-supervised-batch.ts';
import { buildExamples } from '../../../../activities/orchestrator/examples/open-examples.ts';
import { openStage } from '../../../../activities/orchestrator/stages/open-stage.ts';
import { readLoggedBatch } from '../../../../activities/records/logged-batch.ts';
import { NANO_CHARACTERS, nanoTokenizerJson } from '../../../../algorithm/nano/tokenizer.ts';
import { checkLaunch, launch } from '../../../../cli/launch/launch.ts';
import type { ResolvedLaunch } from '../../../../cli/launch/resolve.ts';
import { type Connections, withConnections } from '../../../../cli/stack/connections.ts';
import { recipeSchema } from '../../../../contracts/recipe.ts';
import { loadTokenizer, readTokenizerFolder } from '../../../../engine/tokenizer/tokenizer.ts';
import { MIGRATIONS, PROJECT_ROOT } from '../../../../infra/paths.ts';
import { migrate } from '../../../../stores/database/migrate.ts';
import { claimTerm } from '../../../../stores/runs/terms.ts';
import { withStack } from '../../../helpers/stack.ts';

/** A student's tokenizer: other tokens in another order, one of them of two digits, and a template that opens the thinking. */
const SPECIAL = ['<s>', '</s>', '<unk>'];
const TAGS = ['<think>', '</think>', '<answer>', '</answer>'];
const VOCABULARY = [...SPECIAL, ...TAGS, ...[...NANO_CHARACTERS].reverse(), '12'];

const studentTokenizer = () => {
  const json = nanoTokenizerJson() as { model: object; added_tokens: object[] };
  const [added] = json.added_tokens;
  const vocab = Object.fromEntries(VOCABULARY.map((token, id) => [token, id]));
  return {
    tokenizer: {
      ...json,
      added_tokens: [...SPECIAL, ...TAGS].map((content, id) => ({ ...added, id, content, special: id < 3 })),
      model: { ...json.model, unk_token: '<unk>', vocab, merges: ['1 2'] },
    },
    config: {
      eos_token: '</s>',
      unk_token: '<unk>',
      pad_token: '<s>',
      chat_template: "<s>ask {{ messages[0]['content'] }} <think>",
    },
  };
};

const student = loadTokenizer(studentTokenizer());

const sums = Array.from({ length: 6 }, (_, n) => ({ problem: `12+${n}=?`, answer: String(12 + n) }));
const response = (answer: string) => `<think>first 12</think><answer>${answer}</answer>`;

async function recipeWithStudent(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'r1-student-'));
  t.after(() => rm(folder, { recursive: true }));
  await cp(join(PROJECT_ROOT, 'models/nano-student'), join(folder, 'student'), { recursive: true });
  const { tokenizer, config } = studentTokenizer();
  await writeFile(join(folder, 'student/tokenizer.json'), JSON.stringify(tokenizer));
  await writeFile(join(folder, 'student/tokenizer_config.json'), JSON.stringify(config));
  const examples = sums.map(({ problem, answer }) => ({ problem, response: response(answer) }));
  await writeFile(join(folder, 'examples.jsonl'), examples.map((row) => JSON.stringify(row)).join('\n'));
  const recipe = recipeSchema.parse({
    name: 'small',
    seed: 1,
    base: join(PROJECT_ROOT, 'models/nano-base'),
    students: { own: 'student' },
    prompts: { source: 'nano-sums', train: 4, test: 4 },
    evaluation: { problems: 1, quick_problems: 1, max_completion_length: 32 },
    stages: [
      {
        stage: 'distill/own',
        algorithm: 'sft',
        data: [{ source: 'jsonl', path: 'examples.jsonl' }],
        options: { learning_rate: 1e-3, max_steps: 4, per_device_train_batch_size: 6, max_length: 64 },
      },
    ],
  });
  return { recipe, folder };
}

/** The first batch of the run's only stage, as its activities make it. */
async function firstBatch(connections: Connections, checked: ResolvedLaunch, run: string) {
  const { workflowId } = await launch(checked, connections, run);
  const client = await connections.temporal();
  await client.workflow.getHandle(workflowId).terminate('its activities are called by the test');
  const [database, objects] = await Promise.all([connections.database(), connections.objects()]);
  const stores = { database, objects, failpoints: noFailpoints };
  const key = { run, stage: 'distill/own' };
  const { checkpoint } = await openStage(stores, { key, historyStep: null });
  const branch = { ...key, branch: 0 };
  await buildExamples(stores, { key: branch });
  const { term } = await claimTerm(database, branch, 'test');
  const digestBefore = checkpoint.digests.weights;
  const made = await makeSupervisedBatch(stores, { key: { ...branch, step: 1 }, term, digestBefore });
  return { ...made, logged: await readLoggedBatch(objects, made.batch) };
}

async function withFreshStack(
  t: TestContext,
  work: (connections: Connections, id: string) => Promise<void>,
): Promise<void> {
  const stack = await withStack(t);
  await withConnections(async (connections) => {
    await migrate(await connections.database(), MIGRATIONS);
    await work(connections, stack.id);
  }, stack);
}

test('a student reads given examples by its own template and tokenizer, not by the base’s', async (t) => {
  await withFreshStack(t, async (connections, id) => {
    const checked = await checkLaunch(await recipeWithStudent(t), connections);
    const { logged, completions, dropped } = await firstBatch(connections, checked, id);
    assert.deepEqual([completions, dropped], [6, 0]);
    const ints = (name: string) => [...(logged.tensors.get(name)?.data ?? [])].map(Number);
    const ordinals = ints('ordinals');
    const texts = (kind: 'prompt' | 'completion') => {
      const flat = ints(`${kind}Tokens`);
      return ints(`${kind}Lengths`).map((length) => student.decode(flat.splice(0, length)));
    };
    const asked = ordinals.map((ordinal) => sums[ordinal] ?? assert.fail());
    assert.deepEqual(
      texts('prompt'),
      asked.map(({ problem }) => `<s>ask ${problem} <think>`),
    );
    // The template has opened the thinking: the response goes on from there, and ends with the student's own token.
    assert.deepEqual(
      texts('completion'),
      asked.map(({ answer }) => `${response(answer).slice('<think>'.length)}</s>`),
    );
    assert.ok(ints('promptTokens').includes(VOCABULARY.indexOf('12')));
  });
});

test('an example that the student cannot read or that is too long for it is left out of the batch and counted', async (t) => {
  await withFreshStack(t, async (connections, id) => {
    const checked = await checkLaunch(await recipeWithStudent(t), connections);
    const [rows = assert.fail()] = checked.data.examples['distill/own'] ?? [];
    // As another model's samples may be: found only when this one is to learn from them.
    const [short = assert.fail(), , ...others] = rows;
    const long = { ...short, response: response('3'.repeat(64)) };
    const unknown = { ...short, response: response('É') };
    const mixed = {
      ...checked,
      data: { ...checked.data, examples: { 'distill/own': [[long, unknown, ...others]] } },
    };
    const { logged, completions, dropped } = await firstBatch(connections, mixed, id);
    assert.deepEqual([completions, dropped], [4, 2]);
    assert.ok([...(logged.tensors.get('ordinals')?.data ?? [])].every((ordinal) => Number(ordinal) > 1));
    const none = { ...checked, data: { ...checked.data, examples: { 'distill/own': [[long, unknown]] } } };
    await assert.rejects(firstBatch(connections, none, `${id}-none`), {
      name: 'EmptyBatch',
      message: /step 1: expected examples of at most 64 tokens \(max_length\).*found none among 6/,
    });
  });
});

test('what an example becomes hangs on the tokenizer that reads it', async () => {
  const base = await readTokenizerFolder(join(PROJECT_ROOT, 'models/nano-base'));
  const [own, others] = [student, base].map((tokenizer) =>
    exampleTokens(tokenizer, 'chat', '12+3=?', response('15')),
  );
  assert.equal(student.decode(own?.prompt ?? []), '<s>ask 12+3=? <think>');
  assert.equal(base.decode(others?.prompt ?? []), '<|user|>12+3=?<|assistant|>');
  assert.equal(student.decode(own?.completion ?? []), 'first 12</think><answer>15</answer></s>');
  assert.equal(base.decode(others?.completion ?? []), `${response('15')}<|eos|>`);
});
