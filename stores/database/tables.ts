/** SQL types of columns, by the names that `tables` uses for them. */
export const SQL_TYPES = {
  text: 'text',
  /** 64 lower-case hex digits: the domain of that name */
  sha256: 'text',
  integer: 'integer',
  bigint: 'bigint',
  double: 'double precision',
  boolean: 'boolean',
  /** 64 bits, as a decimal string: JavaScript's numbers do not hold them */
  seed: 'numeric',
  /** a value that is written as JSON; the domains `reference` and `digests` too */
  json: 'jsonb',
  /** text that is JSON already, with numbers that JavaScript would round */
  jsonText: 'jsonb',
} as const;

/** What a value of each type is in JavaScript. */
interface ValueOf {
  text: string;
  sha256: string;
  integer: number;
  bigint: number;
  double: number;
  boolean: boolean;
  json: object;
  jsonText: string;
  seed: string;
}

export type ColumnType = keyof ValueOf;

/**
 * The columns that rows are inserted with, by table (see `infra/migrations`). `?`: may be left out or null. Columns
 * that PostgreSQL fills in itself (identities, times) are not listed.
 */
export const tables = {
  schema_migrations: { name: 'text', sha256: 'text' },
  prompts: {
    hash: 'sha256',
    problem_hash: 'sha256',
    problem: 'text',
    answer: 'text',
    domain: 'text',
    entry: 'jsonText?',
  },
  prompt_sets: { digest: 'sha256', name: 'text' },
  prompt_set_members: {
    prompt_set: 'sha256',
    split: 'text',
    ordinal: 'integer',
    prompt: 'sha256',
    source: 'text',
    line: 'integer',
  },
  imported_sets: { name: 'text', kind: 'text', prompt_set: 'sha256?', object: 'json?', rows: 'integer' },
  models: {
    name: 'text',
    source: 'text',
    revision: 'text?',
    license: 'text?',
    architecture: 'text',
    parameters: 'bigint',
    context: 'integer',
    dtypes: 'json',
    digest: 'sha256',
    manifest: 'json',
  },
  runs: {
    run: 'text',
    recipe_name: 'text',
    recipe: 'json',
    plan: 'json',
    seed: 'seed',
    prompt_set: 'sha256',
    base: 'json',
  },
  stages: {
    run: 'text',
    stage: 'text',
    position: 'integer',
    steps: 'integer',
    algorithm: 'text',
    origin: 'text?',
    initial_manifest: 'json?',
    initial_digests: 'json?',
  },
  branches: { run: 'text', stage: 'text', branch: 'integer', parent: 'integer?', fork_step: 'integer?' },
  terms: { run: 'text', stage: 'text', branch: 'integer', term: 'integer', holder: 'text' },
  changes: {
    run: 'text',
    stage: 'text',
    branch: 'integer',
    effective_step: 'integer',
    field: 'text',
    value: 'double',
    author: 'text',
  },
  batches: {
    run: 'text',
    stage: 'text',
    branch: 'integer',
    step: 'integer',
    batch: 'json',
    term: 'integer',
    hand: 'json?',
    digest_before: 'sha256?',
    policy_before: 'sha256?',
    cursor_after: 'json',
    completions: 'integer',
    tokens: 'integer',
    learning_rate: 'double',
    reward: 'double?',
    rewards: 'json?',
    accuracy: 'double?',
    mean_length: 'double',
    zero_variance_share: 'double?',
    dropped: 'integer',
    truncated_share: 'double?',
    empty_thinking_share: 'double?',
    error_share: 'double?',
    verifiers: 'json?',
  },
  prompt_uses: {
    run: 'text',
    stage: 'text',
    branch: 'integer',
    first_step: 'integer',
    slot: 'integer',
    prompt: 'sha256',
    trained: 'boolean',
  },
  steps: {
    run: 'text',
    stage: 'text',
    branch: 'integer',
    step: 'integer',
    term: 'integer',
    digest_before: 'sha256?',
    digest_after: 'sha256?',
    policy_after: 'sha256?',
    fingerprint_after: 'text?',
    reference_digest: 'sha256?',
    loss: 'double',
    grad_norm: 'double',
    entropy: 'double?',
    kl: 'double?',
    clip_fraction: 'double?',
    sampler_gap: 'double?',
    tokens_trained: 'integer',
    tokens_sampled: 'integer',
    numerics: 'json',
    seam: 'boolean',
    seconds_sampling: 'double',
    seconds_scoring: 'double',
    seconds_logprobs: 'double',
    seconds_training: 'double',
    seconds_other: 'double',
    model_accuracy: 'double?',
  },
  checkpoints: {
    run: 'text',
    stage: 'text',
    branch: 'integer',
    step: 'integer',
    term: 'integer',
    manifest: 'json',
    digests: 'json',
    bytes: 'bigint',
    seconds_saving: 'double?',
  },
  deletion_marks: { uri: 'text', bytes: 'bigint', reason: 'text' },
  evaluations: {
    run: 'text',
    stage: 'text',
    branch: 'integer',
    step: 'integer',
    quick: 'boolean',
    problems: 'integer',
    k: 'integer',
    pass_at_1: 'double',
    pass_at_1_low: 'double',
    pass_at_1_high: 'double',
    cons_at_k: 'double',
    format_rate: 'double',
    mean_length: 'double',
    reflection_rate: 'double',
    rollout: 'json',
    scores: 'json',
    checkpoint: 'json?',
    pass_at_k: 'double?',
    by_domain: 'json?',
    general_ability: 'double?',
    language_consistency: 'double?',
    measured_by: 'text?',
    tokens_sampled: 'integer?',
    seconds_sampling: 'double?',
    seconds_scoring: 'double?',
    verifiers: 'json?',
  },
  alarms: {
    run: 'text',
    stage: 'text',
    branch: 'integer',
    step: 'integer',
    alarm: 'text',
    value: 'double',
    threshold: 'double',
    action: 'text',
    text: 'text',
  },
  trainer_queue: { run: 'text', stage: 'text' },
  sample_parts: {
    run: 'text',
    stage: 'text',
    branch: 'integer',
    part: 'integer',
    rollout: 'json',
    scores: 'json',
    source_stage: 'text',
    checkpoint: 'json',
    policy: 'sha256',
    rule: 'json',
    shard: 'integer',
    counts: 'json',
    seconds_sampling: 'double?',
    seconds_scoring: 'double?',
  },
  samples: {
    part: 'integer',
    sequence: 'integer',
    prompt: 'sha256',
    seed: 'seed',
    tokens: 'integer',
    truncated: 'boolean',
    rewards: 'json',
    reason: 'text?',
    text_offset: 'bigint',
    text_length: 'integer',
    text_sha256: 'sha256',
  },
  examples: {
    prompt_hash: 'sha256',
    problem: 'text',
    domain: 'text',
    source: 'text',
    line: 'integer',
    shard: 'integer',
    text_offset: 'bigint',
    text_length: 'integer',
    text_sha256: 'sha256',
  },
  datasets: {
    name: 'text',
    version: 'integer',
    digest: 'sha256',
    rule: 'json',
    policy: 'sha256?',
    row_count: 'integer',
    rejected: 'json',
  },
  dataset_rows: {
    dataset: 'integer',
    ordinal: 'integer',
    part: 'integer?',
    sequence: 'integer?',
    example: 'bigint?',
  },
  dataset_builds: {
    run: 'text',
    stage: 'text',
    branch: 'integer',
    name: 'text',
    parts: 'integer',
    dataset: 'integer',
  },
  preference_sets: { digest: 'sha256', name: 'text', kind: 'text' },
  preference_rows: {
    preference_set: 'sha256',
    split: 'text',
    ordinal: 'integer',
    kind: 'text',
    prompt: 'text',
    chosen: 'text?',
    rejected: 'text?',
    response: 'text?',
    safe: 'boolean?',
    source: 'text',
    line: 'integer',
  },
} as const satisfies Record<string, Record<string, ColumnType | `${ColumnType}?`>>;

export type TableName = keyof typeof tables;

type Columns<Table extends TableName> = (typeof tables)[Table];
type OptionalColumn<Table extends TableName> = {
  [Column in keyof Columns<Table>]: Columns<Table>[Column] extends `${string}?` ? Column : never;
}[keyof Columns<Table>];
type Value<Type> = Type extends ColumnType
  ? ValueOf[Type]
  : Type extends `${infer Required extends ColumnType}?`
    ? ValueOf[Required] | null
    : never;

/** A row to insert: a value for each column, by name. */
export type NewRow<Table extends TableName> = {
  [Column in Exclude<keyof Columns<Table>, OptionalColumn<Table>>]: Value<Columns<Table>[Column]>;
} & {
  [Column in OptionalColumn<Table>]?: Value<Columns<Table>[Column]>;
};
