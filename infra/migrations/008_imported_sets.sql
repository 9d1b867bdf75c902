-- What `r1 import` has brought in, by name. Importing again under a name makes a newer row; none is changed.
CREATE TABLE imported_sets (
  id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- the largest of a name is what the name means
  name        text NOT NULL,
  kind        text NOT NULL CHECK (kind IN ('prompts', 'preferences', 'labels', 'examples')),
  prompt_set  sha256 REFERENCES prompt_sets,       -- of kind `prompts`: read by launch
  object      reference,                           -- of any other kind: its rows as JSON lines, in S3
  rows        integer NOT NULL CHECK (rows > 0),
  imported_at timestamptz NOT NULL DEFAULT now(),  -- for people
  CHECK ((kind = 'prompts') = (prompt_set IS NOT NULL) AND (prompt_set IS NULL) <> (object IS NULL))
);
CREATE INDEX imported_sets_by_name ON imported_sets (name, id DESC);
