-- Which version of each reward judged: name → version. Read to show where a run went on under other verifiers.

ALTER TABLE batches ADD verifiers jsonb;           -- null for a supervised step
ALTER TABLE evaluations ADD verifiers jsonb;       -- null in rows that were written before there was this column

-- Rows that are there were judged by the release before.
UPDATE batches SET verifiers = (
  SELECT jsonb_object_agg(name, CASE name WHEN 'accuracy' THEN 2 ELSE 1 END) FROM jsonb_object_keys(rewards) AS name
) WHERE rewards IS NOT NULL;
