-- What reward models learn from. Written whole at launch, never changed.

CREATE TABLE preference_sets (
  digest      sha256 PRIMARY KEY,                  -- of the rows in order; written at launch, read by runs
  name        text NOT NULL,                       -- the name it was first imported under; for people
  kind        text NOT NULL CHECK (kind IN ('pair', 'label')), -- of all its rows
  imported_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (digest, kind)
);

-- Two responses of which one is the better, or one response that is safe or not.
CREATE TABLE preference_rows (
  preference_set sha256 NOT NULL,
  split    text NOT NULL CHECK (split IN ('train', 'test')), -- `test` rows are held out: what the model is measured on
  ordinal  integer NOT NULL CHECK (ordinal >= 0),  -- place in the split; the walk over the rows counts by it
  kind     text NOT NULL,
  prompt   text NOT NULL CHECK (prompt <> ''),
  chosen   text,                                   -- this and the next: of a pair
  rejected text,
  response text,                                   -- this and the next: of a label
  safe     boolean,
  source   text NOT NULL,                          -- file or generator that the row came from; for people
  line     integer NOT NULL CHECK (line > 0),      -- line in the file, or number of the generated row
  PRIMARY KEY (preference_set, split, ordinal),
  FOREIGN KEY (preference_set, kind) REFERENCES preference_sets (digest, kind),
  CHECK (CASE kind
    WHEN 'pair' THEN chosen <> rejected AND num_nulls(chosen, rejected) = 0 AND num_nonnulls(response, safe) = 0
    ELSE num_nonnulls(chosen, rejected) = 0 AND num_nulls(response, safe) = 0 END)
);
