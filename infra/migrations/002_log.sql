-- The log of a stage's steps. Rows are inserted once and never changed. Each is unique by
-- (run, stage, branch, step): that is its identity; the term only says who wrote it.

-- What one step trains on. Its row is committed before the step is trained.
CREATE TABLE batches (
  run           text NOT NULL,
  stage         text NOT NULL,
  branch        integer NOT NULL,
  step          integer NOT NULL CHECK (step > 0),
  batch         reference NOT NULL,                -- the complete log record; written by make-batch, read by train-step
  term          integer NOT NULL,
  hand          jsonb NOT NULL,                    -- RolloutInHand that it was cut from; read by open-stage
  digest_before sha256,                            -- of the weights that the step starts from; null where not logged
  cursor_after  jsonb NOT NULL,                    -- where the walk over the prompts stands after it; read by open-stage
  completions   integer NOT NULL CHECK (completions > 0), -- trained on
  tokens        integer NOT NULL,                  -- of those completions
  learning_rate double precision NOT NULL,         -- this and the figures below: written by make-batch, read by `r1 steps`
  reward        double precision NOT NULL,         -- mean weighted sum over completions
  rewards       jsonb NOT NULL,                    -- name → mean over completions without error
  accuracy      double precision,                  -- share of right answers; null where no reward says it
  mean_length   double precision NOT NULL,         -- tokens
  zero_variance_share double precision NOT NULL,   -- share of groups whose rewards are all equal
  dropped       integer NOT NULL CHECK (dropped >= 0), -- completions left out
  committed_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (run, stage, branch, step),
  FOREIGN KEY (run, stage, branch, term) REFERENCES terms
);

-- Which prompts were issued, each once: written in the transaction of a rollout's first batch.
CREATE TABLE prompt_uses (
  run        text NOT NULL,
  stage      text NOT NULL,
  branch     integer NOT NULL,
  first_step integer NOT NULL,                     -- the first step that trains on the rollout
  slot       integer NOT NULL CHECK (slot >= 0),   -- place in the rollout; seeds hang on it
  prompt     sha256 NOT NULL REFERENCES prompts,
  trained    boolean NOT NULL,                     -- false: sampled, and then filtered or dropped
  PRIMARY KEY (run, stage, branch, first_step, slot),
  FOREIGN KEY (run, stage, branch, first_step) REFERENCES batches (run, stage, branch, step)
);
CREATE INDEX prompt_uses_by_prompt ON prompt_uses (prompt);

-- What a step did. Written by record-step after the trainer's answer; read by open-stage and `r1 steps`.
CREATE TABLE steps (
  run              text NOT NULL,
  stage            text NOT NULL,
  branch           integer NOT NULL,
  step             integer NOT NULL,
  term             integer NOT NULL,
  digest_before    sha256,                         -- null where `digest_steps` left it out
  digest_after     sha256,                         -- null where `digest_steps` left it out
  reference_digest sha256,                         -- of the reference policy after the step; null without one
  loss             double precision NOT NULL,
  grad_norm        double precision NOT NULL,      -- global, before clipping
  entropy          double precision,               -- nats a token; null where the engine does not compute it
  kl               double precision,               -- mean of k3 a token; null with beta 0
  clip_fraction    double precision NOT NULL,      -- share of tokens whose ratio was clipped
  sampler_gap      double precision,               -- largest |log π_sampler − log π_training|; null off policy
  tokens_trained   integer NOT NULL,
  tokens_sampled   integer NOT NULL,               -- of the rollout that begins with this step; 0 for its later steps
  numerics         jsonb NOT NULL,                 -- of the trainer; compared to tell a seam
  seam             boolean NOT NULL,               -- the first step under other numerics than the step before
  seconds_sampling double precision NOT NULL,
  seconds_scoring  double precision NOT NULL,
  seconds_logprobs double precision NOT NULL,      -- under old and reference policy
  seconds_training double precision NOT NULL,      -- the train step alone
  seconds_other    double precision NOT NULL,      -- the rest between two steps
  recorded_at      timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (run, stage, branch, step),
  FOREIGN KEY (run, stage, branch, step) REFERENCES batches,
  FOREIGN KEY (run, stage, branch, term) REFERENCES terms
);

-- Committed checkpoints: the row is the commit, the manifest names every object.
CREATE TABLE checkpoints (
  run          text NOT NULL,
  stage        text NOT NULL,
  branch       integer NOT NULL,
  step         integer NOT NULL,
  term         integer NOT NULL,
  manifest     reference NOT NULL,                 -- written by commit-checkpoint; read by open-stage and acquire
  digests      digests NOT NULL,                   -- compared after every load
  bytes        bigint NOT NULL CHECK (bytes >= 0), -- of all its objects; for people
  committed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (run, stage, branch, step),
  FOREIGN KEY (run, stage, branch, step) REFERENCES steps,
  FOREIGN KEY (run, stage, branch, term) REFERENCES terms
);
CREATE INDEX checkpoints_by_uri ON checkpoints ((manifest ->> 'uri'));

-- How good a policy is on held-out problems. Written by record-evaluation; read by open-stage and `r1 show`.
CREATE TABLE evaluations (
  run             text NOT NULL REFERENCES runs,
  stage           text NOT NULL,                   -- the stage, or `base`: the policy before any training
  branch          integer NOT NULL,                -- 0 for `base`
  step            integer NOT NULL CHECK (step >= 0),
  quick           boolean NOT NULL,                -- fewer problems and samples, while training goes on
  problems        integer NOT NULL,
  k               integer NOT NULL,                -- samples a problem
  pass_at_1       double precision NOT NULL,
  pass_at_1_low   double precision NOT NULL,       -- 95 % interval
  pass_at_1_high  double precision NOT NULL,
  cons_at_k       double precision NOT NULL,
  format_rate     double precision NOT NULL,
  mean_length     double precision NOT NULL,       -- tokens
  reflection_rate double precision NOT NULL,       -- share of answers that check or correct themselves
  rollout         reference NOT NULL,              -- the completions that were judged
  scores          reference NOT NULL,              -- their verdicts
  checkpoint      reference,                       -- manifest of the policy; null where no checkpoint was committed
  recorded_at     timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (run, stage, branch, step, quick)
);
