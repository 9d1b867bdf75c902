-- Samples and the data sets made of them. Rows are inserted once; a data set that was trained on never changes.

-- Objects that hold many texts one after the other. Written by select-samples and with example sets.
CREATE TABLE text_shards (
  id     integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  object reference NOT NULL                        -- content-addressed: the same texts are the same object
);
CREATE UNIQUE INDEX text_shards_by_uri ON text_shards ((object ->> 'uri'));

-- One rollout sampled for a stage's data, and what became of it. Its row and its samples are one commit.
CREATE TABLE sample_parts (
  id           integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run          text NOT NULL,
  stage        text NOT NULL,                      -- the stage whose data it is
  branch       integer NOT NULL,
  part         integer NOT NULL CHECK (part >= 0),
  rollout      reference NOT NULL,
  scores       reference NOT NULL,
  source_stage text NOT NULL,                      -- the stage whose policy sampled
  checkpoint   reference NOT NULL,                 -- manifest of that policy
  policy       sha256 NOT NULL,                    -- digest of its weights
  rule         jsonb NOT NULL,                     -- SelectionRule that decided
  shard        integer NOT NULL REFERENCES text_shards, -- where the texts of its samples lie
  counts       jsonb NOT NULL,                     -- SampleCounts; read by build-dataset and the report
  committed_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (run, stage, branch, part),
  FOREIGN KEY (run, stage, branch) REFERENCES branches
);

-- Each completion of a part, accepted or rejected. Identity: (run, stage, branch, part, sequence).
CREATE TABLE samples (
  part        integer NOT NULL REFERENCES sample_parts,
  sequence    integer NOT NULL CHECK (sequence >= 0), -- place in the rollout
  prompt      sha256 NOT NULL REFERENCES prompts,
  seed        numeric(20, 0) NOT NULL,             -- that it was sampled with
  tokens      integer NOT NULL,                    -- as sampled
  truncated   boolean NOT NULL,                    -- cut by the length limit
  rewards     jsonb NOT NULL,                      -- name → {score, version} or {error, version}
  reason      text,                                -- the rule that refused it; null: accepted
  text_offset bigint NOT NULL CHECK (text_offset >= 0), -- bytes of the part's shard; what is accepted lies there as rewritten
  text_length integer NOT NULL CHECK (text_length >= 0),
  text_sha256 sha256 NOT NULL,                     -- of those bytes
  PRIMARY KEY (part, sequence)
);

-- Examples that were written or generated, not sampled.
CREATE TABLE examples (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  prompt_hash sha256 NOT NULL,                     -- of (problem, '', domain)
  problem     text NOT NULL,
  domain      text NOT NULL,
  source      text NOT NULL,                       -- file or generator
  line        integer NOT NULL CHECK (line > 0),
  shard       integer NOT NULL REFERENCES text_shards,
  text_offset bigint NOT NULL CHECK (text_offset >= 0),
  text_length integer NOT NULL CHECK (text_length >= 0),
  text_sha256 sha256 NOT NULL
);

-- A version of a data set: its content in order, and the rule that decided it.
CREATE TABLE datasets (
  id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name       text NOT NULL,
  version    integer NOT NULL CHECK (version > 0), -- 1, 2, … of that name
  digest     sha256 NOT NULL UNIQUE,               -- of name, rule, policy, and each row's prompt and text in order
  rule       jsonb NOT NULL,                       -- DatasetRule
  policy     sha256,                               -- digest of the weights that sampled; null where none or several did
  row_count  integer NOT NULL CHECK (row_count > 0),
  rejected   jsonb NOT NULL,                       -- reason → samples that the rule refused
  created_at timestamptz NOT NULL DEFAULT now(),
  frozen_at  timestamptz,                          -- when a batch first used it; null before
  UNIQUE (name, version)
);

CREATE TABLE dataset_rows (
  dataset  integer NOT NULL REFERENCES datasets,
  ordinal  integer NOT NULL CHECK (ordinal >= 0),  -- the walk over the data counts by it
  part     integer,                                -- an accepted sample …
  sequence integer,
  example  bigint REFERENCES examples,             -- … or an example
  PRIMARY KEY (dataset, ordinal),
  FOREIGN KEY (part, sequence) REFERENCES samples,
  CHECK ((part IS NULL) = (sequence IS NULL) AND (part IS NULL) <> (example IS NULL))
);

-- Which data set a branch of a stage made under a name. Written by build-dataset with the set itself.
CREATE TABLE dataset_builds (
  run     text NOT NULL,
  stage   text NOT NULL,
  branch  integer NOT NULL,
  name    text NOT NULL,
  parts   integer NOT NULL,                        -- how many it was made of
  dataset integer NOT NULL REFERENCES datasets,
  PRIMARY KEY (run, stage, branch, name),
  FOREIGN KEY (run, stage, branch) REFERENCES branches
);

-- What is frozen stays: no statement changes or removes such a data set or any of its rows.
CREATE FUNCTION refuse_frozen_dataset() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.frozen_at IS NOT NULL THEN
    RAISE EXCEPTION 'data set %@% is frozen: a batch was made of it', OLD.name, OLD.version;
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;
CREATE TRIGGER frozen BEFORE UPDATE OR DELETE ON datasets
  FOR EACH ROW EXECUTE FUNCTION refuse_frozen_dataset();

CREATE FUNCTION refuse_frozen_rows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  frozen record;
BEGIN
  SELECT d.name, d.version INTO frozen FROM datasets d
  WHERE d.frozen_at IS NOT NULL AND d.id IN (SELECT dataset FROM changed) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'data set %@% is frozen: a batch was made of it', frozen.name, frozen.version;
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER frozen_insert AFTER INSERT ON dataset_rows
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION refuse_frozen_rows();
CREATE TRIGGER frozen_delete AFTER DELETE ON dataset_rows
  REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION refuse_frozen_rows();

CREATE FUNCTION refuse_changed_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of data sets are never changed: make another version';
END
$$;
CREATE TRIGGER unchanged BEFORE UPDATE OR TRUNCATE ON dataset_rows
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_changed_rows();
