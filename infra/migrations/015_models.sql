-- Models that `r1 model add` has brought in, by name. A name refers to one model; its row is the commit, after its objects.
CREATE TABLE models (
  name         text PRIMARY KEY,
  source       text NOT NULL,                       -- a folder, a GGUF file, or `owner/name` of a hub
  revision     text,                                -- the commit of the hub's repository; null for files of this machine
  license      text,                                -- as its model card or its file names it
  architecture text NOT NULL,                       -- as config.json names it
  parameters   bigint NOT NULL CHECK (parameters > 0),
  context      integer NOT NULL CHECK (context > 0), -- positions
  dtypes       jsonb NOT NULL,                      -- of the source's tensors, the most elements first
  digest       sha256 NOT NULL,                     -- of the stored weights
  manifest     reference NOT NULL,
  added_at     timestamptz NOT NULL DEFAULT now()   -- for people
);
