-- Stages that wait for a trainer. Whose run was launched first comes first; within a run, who has waited longest.

CREATE TABLE trainer_queue (
  run         text NOT NULL,
  stage       text NOT NULL,
  since       timestamptz NOT NULL DEFAULT now(),  -- written by await-turn; deleted when a trainer is acquired
  shown_place integer,                             -- the place that the stage's workflow was last sent
  PRIMARY KEY (run, stage),
  FOREIGN KEY (run, stage) REFERENCES stages
);
