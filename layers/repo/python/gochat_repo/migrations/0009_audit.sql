-- The loss audit: what it has found to be whole, and what it has not. Only adds: the code of 0008 runs on this schema.

-- What changed since the last audit is found without looking at the others.
ALTER TABLE conversations
  ADD KEY conversations_updated (updated_at_ms),
  ALGORITHM=INPLACE, LOCK=NONE;

-- When the row was first noted: created_at_ms moves whenever somebody takes its announcement over. 0: by older code.
ALTER TABLE outbox
  ADD COLUMN noted_at_ms BIGINT UNSIGNED NOT NULL DEFAULT 0,
  ALGORITHM=INSTANT;

-- Up to where each conversation is known to be whole. A table of its own, so that auditing locks no conversation.
CREATE TABLE conversation_audits (
  conversation_id BINARY(16) NOT NULL,
  audited_seq BIGINT UNSIGNED NOT NULL,
  audited_change BIGINT UNSIGNED NOT NULL,
  members_audited_at_ms BIGINT UNSIGNED NOT NULL,                   -- when its members' cursors were last looked at
  PRIMARY KEY (conversation_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Conversations that are not whole; a row goes when its conversation is mended.
CREATE TABLE audit_findings (
  conversation_id BINARY(16) NOT NULL,
  found_at_ms BIGINT UNSIGNED NOT NULL,
  checked_at_ms BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (conversation_id),
  KEY audit_findings_checked (checked_at_ms)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
