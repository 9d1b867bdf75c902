-- Policies by their ids (algorithm/run/policy-id.ts). Null in rows of the first release, whose ids follow from the log.

ALTER TABLE batches
  ADD policy_before sha256;                        -- the policy that the step starts from
ALTER TABLE steps
  ADD policy_after      sha256,
  ADD fingerprint_after text CHECK (fingerprint_after ~ '^[0-9a-f]{16}$');  -- null where a digest or nothing was computed
