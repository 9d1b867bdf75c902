-- What is being run, and where each part of it stands.
--
-- All times are the server's. References and digests are kept as the JSON objects of contracts/.

CREATE DOMAIN sha256 AS text
  CHECK (VALUE ~ '^[0-9a-f]{64}$');

-- contracts/reference.ts: where an object lies and what its bytes are
CREATE DOMAIN reference AS jsonb
  CHECK (VALUE ?& ARRAY['uri', 'sha256', 'bytes']);

-- contracts/training.ts: digests of a policy's parts
CREATE DOMAIN digests AS jsonb
  CHECK (VALUE ?& ARRAY['weights', 'moments', 'reference']);

-- Each prompt once, whatever data sets it belongs to. Never changed, never deleted.
CREATE TABLE prompts (
  hash        sha256 PRIMARY KEY,                  -- of (problem, answer, domain); written by import-prompts
  problem_hash sha256 NOT NULL,                    -- of the normalised problem; the same problem in two sets has it
  problem     text NOT NULL,                       -- read by draw-prompts
  answer      text NOT NULL,                       -- read by draw-prompts, for the rewards
  domain      text NOT NULL,                       -- read by draw-prompts and statistics
  imported_at timestamptz NOT NULL DEFAULT now()   -- the first time; for people
);
CREATE INDEX prompts_by_problem ON prompts (problem_hash);

-- A data set: prompts in a fixed order, named by its content.
CREATE TABLE prompt_sets (
  digest      sha256 PRIMARY KEY,                  -- of the members in order; written by import-prompts, read by runs
  name        text NOT NULL,                       -- the name it was first imported under; for people
  imported_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE prompt_set_members (
  prompt_set  sha256 NOT NULL REFERENCES prompt_sets,
  split       text NOT NULL,                       -- `train` or `test`; read by draw-prompts and draw-evaluation
  ordinal     integer NOT NULL CHECK (ordinal >= 0), -- place in the split; the walk over the prompts counts by it
  prompt      sha256 NOT NULL REFERENCES prompts,
  source      text NOT NULL,                       -- file or generator that the row came from; for people
  line        integer NOT NULL CHECK (line > 0),   -- line in the file, or number of the generated problem
  PRIMARY KEY (prompt_set, split, ordinal),
  UNIQUE (prompt_set, prompt)                      -- no prompt twice, and none in two splits
);

-- One launch of a recipe.
CREATE TABLE runs (
  run         text PRIMARY KEY,                    -- written at launch; part of every key
  recipe_name text NOT NULL,                       -- written at launch; read by `r1 runs`
  recipe      jsonb NOT NULL,                      -- the validated recipe; written at launch; read by `r1 show`
  plan        jsonb NOT NULL,                      -- RunPlan; written at launch; read by every activity
  seed        numeric(20, 0) NOT NULL CHECK (seed BETWEEN 0 AND 18446744073709551615), -- read wherever seeds are derived
  prompt_set  sha256 NOT NULL REFERENCES prompt_sets, -- written at launch; read by draw-prompts and draw-evaluation
  base        jsonb NOT NULL,                      -- CommittedCheckpoint of the base model; written at launch
  status      text NOT NULL DEFAULT 'running'
              CHECK (status IN ('running', 'paused', 'parked', 'complete', 'aborted')), -- written by the run's workflow
  reason      text,                                -- why it is parked; null otherwise
  started_at  timestamptz NOT NULL DEFAULT now(),  -- written at launch
  finished_at timestamptz                          -- written with status complete or aborted; null otherwise
);
CREATE INDEX runs_by_start ON runs (started_at DESC);

-- A part of a run, in the recipe's order.
CREATE TABLE stages (
  run             text NOT NULL REFERENCES runs,
  stage           text NOT NULL,                   -- as in the recipe; may hold a slash (distill/STUDENT)
  position        integer NOT NULL CHECK (position >= 0), -- order in the recipe
  status          text NOT NULL DEFAULT 'pending'
                  CHECK (status IN ('pending', 'running', 'paused', 'parked', 'complete', 'aborted')), -- written by the stage's workflow
  reason          text,                            -- why it is parked; null otherwise
  branch          integer NOT NULL DEFAULT 0,      -- the current branch; written when an operator rewinds
  steps           integer NOT NULL CHECK (steps > 0), -- planned; `complete` means that they are reached
  initial_manifest reference NOT NULL,             -- the checkpoint that it starts from; read where no other is committed
  initial_digests  digests NOT NULL,
  started_at      timestamptz,                     -- first time running; null before
  finished_at     timestamptz,                     -- written with status complete or aborted; null otherwise
  PRIMARY KEY (run, stage),
  UNIQUE (run, position)
);

-- A line of steps within a stage. Its row is what every writing transaction locks first, so that writes,
-- claims of terms, changes and rewinds of one branch happen one after the other.
CREATE TABLE branches (
  run        text NOT NULL,
  stage      text NOT NULL,
  branch     integer NOT NULL CHECK (branch >= 0),
  parent     integer,                              -- the branch that it was rewound from; null for the first
  fork_step  integer NOT NULL DEFAULT 0 CHECK (fork_step >= 0), -- steps up to this one are the parent's
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (run, stage, branch),
  FOREIGN KEY (run, stage) REFERENCES stages,
  FOREIGN KEY (run, stage, parent) REFERENCES branches,
  CHECK ((branch = 0) = (parent IS NULL)),
  CHECK (parent < branch)
);
ALTER TABLE stages ADD FOREIGN KEY (run, stage, branch) REFERENCES branches DEFERRABLE INITIALLY DEFERRED;

-- Fencing numbers of trainers' leases: the current one is a branch's largest.
CREATE TABLE terms (
  run        text NOT NULL,
  stage      text NOT NULL,
  branch     integer NOT NULL,
  term       integer NOT NULL CHECK (term > 0),    -- written by claim-term; compared in every writing transaction
  claimed_at timestamptz NOT NULL DEFAULT now(),   -- for people
  holder     text NOT NULL,                        -- who claimed it; for people and errors
  PRIMARY KEY (run, stage, branch, term),
  FOREIGN KEY (run, stage, branch) REFERENCES branches
);

-- Live changes, in the order in which they were committed.
CREATE TABLE changes (
  ordinal        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- among changes effective at one step the last wins
  run            text NOT NULL,
  stage          text NOT NULL,
  branch         integer NOT NULL,
  effective_step integer NOT NULL CHECK (effective_step > 0), -- in force from this step on; beyond the last batch when written
  field          text NOT NULL,                    -- a field of contracts/options.ts `changeableFields`
  value          double precision NOT NULL,
  author         text NOT NULL,                    -- for people
  committed_at   timestamptz NOT NULL DEFAULT now(),
  FOREIGN KEY (run, stage, branch) REFERENCES branches
);
CREATE INDEX changes_by_branch ON changes (run, stage, branch, effective_step);

-- Whose rows make up a branch: its own, and each ancestor's up to the step at which it was left.
CREATE FUNCTION lineage(in_run text, in_stage text, in_branch integer)
RETURNS TABLE (ancestor integer, up_to integer) LANGUAGE sql STABLE AS $$
  WITH RECURSIVE line AS (
    SELECT b.branch, b.parent, b.fork_step, 2147483647 AS up_to
    FROM branches b
    WHERE b.run = in_run AND b.stage = in_stage AND b.branch = in_branch
  UNION ALL
    SELECT b.branch, b.parent, b.fork_step, least(line.up_to, line.fork_step)
    FROM line JOIN branches b ON b.run = in_run AND b.stage = in_stage AND b.branch = line.parent
  )
  SELECT line.branch, line.up_to FROM line
$$;
