-- What workers did outside steps, so that a stage's cost is whole. Null in rows that were written before it was told.

ALTER TABLE evaluations
  ADD measured_by      text,                       -- the stage that had it made; of `base`, the first that started from it
  ADD tokens_sampled   integer,
  ADD seconds_sampling double precision,           -- this and the next: of workers; read by the report
  ADD seconds_scoring  double precision;
ALTER TABLE sample_parts
  ADD seconds_sampling double precision,
  ADD seconds_scoring  double precision;
ALTER TABLE checkpoints
  ADD seconds_saving double precision;             -- that the trainer wrote its objects
