-- Groups and what their members are in them. Only adds: the code of 0005 runs on this schema unchanged.

CREATE TABLE `groups` (
  group_id BIGINT UNSIGNED NOT NULL,
  conversation_id BINARY(16) NOT NULL,
  name VARCHAR(100) NOT NULL,
  avatar_url VARCHAR(2048) NULL,
  announcement TEXT NULL,
  owner_id BIGINT UNSIGNED NOT NULL,
  muted_all BOOLEAN NOT NULL DEFAULT FALSE,
  created_at_ms BIGINT UNSIGNED NOT NULL,
  dissolved_at_ms BIGINT UNSIGNED NULL,
  PRIMARY KEY (group_id),
  UNIQUE KEY groups_conversation (conversation_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What the present members are and may; who belongs from which message on stands in conversation_participants alone. By
-- conversation, so that what decides about a message finds a sender's role beside the sender's cursors.
CREATE TABLE group_members (
  conversation_id BINARY(16) NOT NULL,
  user_id BIGINT UNSIGNED NOT NULL,
  role VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,   -- owner, admin or member
  muted_until_ms BIGINT UNSIGNED NULL,
  joined_at_ms BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (conversation_id, user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- members_version grows with every join and leave: what is cached of a conversation's members is cached under it.
ALTER TABLE conversations
  ADD COLUMN members_version BIGINT UNSIGNED NOT NULL DEFAULT 0;

-- is_large: the conversation has, or once had, so many members that a message no longer touches a row for each of them;
-- lists compare such conversations by their own updated_at_ms.
ALTER TABLE conversation_participants
  ADD COLUMN is_large BOOLEAN NOT NULL DEFAULT FALSE,
  ADD KEY participants_large (user_id, is_large);
