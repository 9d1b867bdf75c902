-- Checkpoints that retention has deleted, and objects that are about to be.

-- What a deleted checkpoint was. Written in the transaction that deletes its row; read by errors, costs and reports.
CREATE TABLE deleted_checkpoints (
  run            text NOT NULL,
  stage          text NOT NULL,
  branch         integer NOT NULL,
  step           integer NOT NULL,
  manifest       reference NOT NULL,
  digests        digests NOT NULL,
  bytes          bigint NOT NULL CHECK (bytes >= 0),
  seconds_saving double precision,
  reason         text NOT NULL,                    -- why no rule kept it; for people
  committed_at   timestamptz NOT NULL,
  deleted_at     timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (run, stage, branch, step),
  FOREIGN KEY (run, stage, branch) REFERENCES branches
);
CREATE INDEX deleted_checkpoints_by_uri ON deleted_checkpoints ((manifest ->> 'uri'));

-- Objects that no row refers to. Each is deleted once the mark is older than the grace; a commit that refers to one
-- removes its mark first. Both lock the object's URI (an advisory lock of the transaction).
CREATE TABLE deletion_marks (
  uri            text PRIMARY KEY,
  bytes          bigint NOT NULL CHECK (bytes >= 0), -- for people
  reason         text NOT NULL,                    -- for people
  marked_at      timestamptz NOT NULL DEFAULT now(),
  deleting_since timestamptz                       -- S3 is asked to delete it; null before
);
CREATE INDEX deletion_marks_by_time ON deletion_marks (marked_at);

-- Checkpoints that share the object of a reference policy.
CREATE INDEX checkpoints_by_reference ON checkpoints ((digests ->> 'reference'));
