-- Stages of three kinds: reinforcement (GRPO), supervised fine-tuning, reward models.

ALTER TABLE stages
  ADD algorithm text NOT NULL DEFAULT 'grpo' CHECK (algorithm IN ('grpo', 'sft', 'reward-model')), -- written at launch
  ADD origin text,                                 -- `base`, `student/NAME` or the stage whose last checkpoint it starts from
  ALTER initial_manifest DROP NOT NULL,            -- null until the stage that it starts from is complete
  ALTER initial_digests DROP NOT NULL,
  ADD data_set sha256,                             -- digest of the examples a supervised stage trains on; null until they are made
  ADD measure jsonb;                               -- of a reward model: {accuracy, pairs} on held-out preferences

-- A supervised step has no rollout, no reward and no ratio.
ALTER TABLE batches
  ALTER hand DROP NOT NULL,
  ALTER reward DROP NOT NULL,
  ALTER rewards DROP NOT NULL,
  ALTER zero_variance_share DROP NOT NULL;
ALTER TABLE steps
  ALTER clip_fraction DROP NOT NULL,
  ADD model_accuracy double precision;             -- of a reward model, on the step's batch; null for a policy

-- Figures by domain, the majority among more answers, and what pure reasoning training may cost.
ALTER TABLE evaluations
  ADD pass_at_k double precision,                  -- share of problems that at least one of k samples solves
  ADD by_domain jsonb,                             -- domain → {problems, passAt1, passAt1Interval}
  ADD general_ability double precision,            -- pass@1 on the general domains; null where none is measured
  ADD language_consistency double precision;       -- mean over responses; null where no language is named
