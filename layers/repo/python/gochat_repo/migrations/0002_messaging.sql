-- Mutations of messages, reactions, hidden conversations, what changed for whom since when, message retention.
-- Only adds: the code of 0001 runs on this schema unchanged.

-- What one conversation did to its messages after they were stored is found by its change, not by their seq.
ALTER TABLE messages
  ADD COLUMN reactions MEDIUMTEXT NULL,                             -- JSON: [["emoji", count, [first 20 user ids]], …]
  ADD KEY messages_change (conversation_id, last_change);

-- Who reacted with what. A removed reaction stays as a row, so that adding and removing are one statement.
CREATE TABLE message_reactions (
  conversation_id BINARY(16) NOT NULL,
  seq BIGINT UNSIGNED NOT NULL,
  emoji VARCHAR(32) NOT NULL,
  user_id BIGINT UNSIGNED NOT NULL,
  reacted_change BIGINT UNSIGNED NOT NULL,                          -- the conversation's change that this was: its order
  is_removed BOOLEAN NOT NULL,
  PRIMARY KEY (conversation_id, seq, emoji, user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- hidden_seq: hidden from its member's list until a message with a greater seq; NULL: not hidden.
-- changed_at_ms: when anything but a message changed what this member sees (mutation, receipt, mute, pin, hide, leaving);
-- new messages move activity_at_ms alone, so that a message touches one index and not two.
-- cleared_at_ms: when cleared_seq last moved, so that a device which slept through it learns to forget what it holds.
ALTER TABLE conversation_participants
  ADD COLUMN hidden_seq BIGINT UNSIGNED NULL,
  ADD COLUMN changed_at_ms BIGINT UNSIGNED NOT NULL DEFAULT 0,
  ADD COLUMN cleared_at_ms BIGINT UNSIGNED NOT NULL DEFAULT 0,
  ADD KEY participants_changed (user_id, changed_at_ms, conversation_id);

-- Messages up to expired_seq are past the deployment's retention: their content is gone and nobody is shown them.
ALTER TABLE conversations
  ADD COLUMN expired_seq BIGINT UNSIGNED NOT NULL DEFAULT 0;

-- What is announced, as JSON, where it can't be read again from what is stored.
ALTER TABLE outbox
  ADD COLUMN payload MEDIUMTEXT NULL;
