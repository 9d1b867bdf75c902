-- What a verifier needs of a prompt beyond its answer: tests of a program, options of a question, metadata.
ALTER TABLE prompts ADD COLUMN entry jsonb; -- written by import-prompts; read by score-rollout; null: the answer says all
COMMENT ON COLUMN prompts.hash IS 'of (problem, answer, domain), and of the entry where there is one';
