-- Accounts, connections, single chats, messages and the outbox.
-- Times are BIGINT milliseconds since 1970 in UTC. Ids of users, sessions and messages are 63-bit and time-ordered.

CREATE TABLE users (
  user_id BIGINT UNSIGNED NOT NULL,
  username VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL,  -- lower case; NULL once the account is erased
  password_hash VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
  display_name VARCHAR(64) NOT NULL,
  avatar_url VARCHAR(2048) NULL,
  created_at_ms BIGINT UNSIGNED NOT NULL,
  last_login_at_ms BIGINT UNSIGNED NULL,
  deleted_at_ms BIGINT UNSIGNED NULL,
  PRIMARY KEY (user_id),
  UNIQUE KEY users_username (username)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE devices (
  user_id BIGINT UNSIGNED NOT NULL,
  device_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  platform VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  created_at_ms BIGINT UNSIGNED NOT NULL,
  last_login_at_ms BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (user_id, device_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- A login: one family of refresh tokens. The token of a generation is derived from the salt, so none is stored.
CREATE TABLE sessions (
  session_id BIGINT UNSIGNED NOT NULL,
  user_id BIGINT UNSIGNED NOT NULL,
  device_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  platform VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  salt BINARY(16) NOT NULL,
  generation INT UNSIGNED NOT NULL,
  rotated_at_ms BIGINT UNSIGNED NOT NULL,
  rotation_key_hash BINARY(32) NULL,            -- of the Idempotency-Key of the last refresh, if it had one
  created_at_ms BIGINT UNSIGNED NOT NULL,
  last_used_at_ms BIGINT UNSIGNED NOT NULL,
  expires_at_ms BIGINT UNSIGNED NOT NULL,
  revoked_at_ms BIGINT UNSIGNED NULL,
  PRIMARY KEY (session_id),
  KEY sessions_user (user_id, device_id),
  KEY sessions_expiry (expires_at_ms)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Failed logins of a username in the running window: what stops guessing while Redis is away.
CREATE TABLE login_failures (
  username VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  failures INT UNSIGNED NOT NULL,
  window_started_at_ms BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (username)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- WebSocket tickets that were used: a ticket opens one connection.
CREATE TABLE used_tickets (
  ticket_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  expires_at_ms BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (ticket_id),
  KEY used_tickets_expiry (expires_at_ms)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The truth about who is connected: one connection a device. Rows are deleted by comparing connection_id.
CREATE TABLE connections (
  user_id BIGINT UNSIGNED NOT NULL,
  device_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  session_id BIGINT UNSIGNED NOT NULL,
  cell_id VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  connection_id VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  connected_at_ms BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (user_id, device_id),
  KEY connections_age (connected_at_ms)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE conversations (
  conversation_id BINARY(16) NOT NULL,
  type VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,   -- single or group
  last_seq BIGINT UNSIGNED NOT NULL DEFAULT 0,
  last_change BIGINT UNSIGNED NOT NULL DEFAULT 0,
  member_count INT UNSIGNED NOT NULL,
  created_at_ms BIGINT UNSIGNED NOT NULL,
  updated_at_ms BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (conversation_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The only truth of membership and of every member's cursors.
CREATE TABLE conversation_participants (
  conversation_id BINARY(16) NOT NULL,
  user_id BIGINT UNSIGNED NOT NULL,
  join_seq BIGINT UNSIGNED NOT NULL DEFAULT 1,
  left_seq BIGINT UNSIGNED NULL,
  read_seq BIGINT UNSIGNED NOT NULL DEFAULT 0,
  sent_seq BIGINT UNSIGNED NOT NULL DEFAULT 0,
  delivered_seq BIGINT UNSIGNED NOT NULL DEFAULT 0,
  cleared_seq BIGINT UNSIGNED NOT NULL DEFAULT 0,
  activity_at_ms BIGINT UNSIGNED NOT NULL,
  muted BOOLEAN NOT NULL DEFAULT FALSE,
  pinned BOOLEAN NOT NULL DEFAULT FALSE,
  PRIMARY KEY (conversation_id, user_id),
  KEY participants_activity (user_id, activity_at_ms, conversation_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE messages (
  conversation_id BINARY(16) NOT NULL,
  seq BIGINT UNSIGNED NOT NULL,
  message_id BIGINT UNSIGNED NOT NULL,
  sender_id BIGINT UNSIGNED NOT NULL,
  client_msg_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  content_hash BINARY(16) NOT NULL,
  type VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  content MEDIUMTEXT NOT NULL,                                      -- JSON, as the client sent it
  reply_to_seq BIGINT UNSIGNED NULL,
  mentions TEXT CHARACTER SET ascii COLLATE ascii_bin NULL,         -- JSON: ["id", …] or ["all"]
  created_at_ms BIGINT UNSIGNED NOT NULL,
  edited_at_ms BIGINT UNSIGNED NULL,
  recalled_at_ms BIGINT UNSIGNED NULL,
  last_change BIGINT UNSIGNED NOT NULL DEFAULT 0,
  PRIMARY KEY (conversation_id, seq),
  UNIQUE KEY messages_client_msg_id (conversation_id, sender_id, client_msg_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What is stored and not yet known to be announced. A row goes when its announcement was flushed to the broker.
CREATE TABLE outbox (
  conversation_id BINARY(16) NOT NULL,
  kind VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,  -- message: number is its seq
  number BIGINT UNSIGNED NOT NULL,
  origin_device_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,  -- the sending device; NULL: sent by REST
  created_at_ms BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (conversation_id, kind, number),
  KEY outbox_age (created_at_ms)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
