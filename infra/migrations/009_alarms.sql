-- Signs of a run going wrong: what is watched, and which alarms were raised.

-- Of a batch's rollout; null for a supervised step.
ALTER TABLE batches
  ADD truncated_share double precision,            -- completions that the length limit cut
  ADD empty_thinking_share double precision,       -- of well-formed reasoning responses, those that think nothing or repeat themselves
  ADD error_share double precision;                -- completions that a reward answered with an error

-- Raised once, at the step where an alarm's measure crossed its threshold; written with that step or evaluation.
CREATE TABLE alarms (
  run       text NOT NULL,
  stage     text NOT NULL,
  branch    integer NOT NULL,
  step      integer NOT NULL,
  alarm     text NOT NULL,                         -- a name of contracts/alarms.ts
  value     double precision NOT NULL,             -- of the alarm's measure
  threshold double precision NOT NULL,
  action    text NOT NULL CHECK (action IN ('note', 'pause', 'park')),
  text      text NOT NULL,                         -- what was measured, for people
  raised_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (run, stage, branch, step, alarm),
  FOREIGN KEY (run, stage, branch) REFERENCES branches
);
