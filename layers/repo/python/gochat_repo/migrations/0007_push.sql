-- Push: where devices are reached, what people prefer, and what became of each push. Only adds.

-- One token a device. A token belongs to whoever registered it last: the phone changed hands.
CREATE TABLE push_tokens (
  user_id BIGINT UNSIGNED NOT NULL,
  device_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  provider VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,  -- apns, fcm or webpush
  token TEXT CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  token_hash BINARY(32) NOT NULL,                                   -- of what names the device to its provider
  updated_at_ms BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (user_id, device_id),
  UNIQUE KEY push_tokens_hash (token_hash)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Who has no row has the defaults. Quiet hours are minutes of the day in the time zone; both NULL: none.
CREATE TABLE push_preferences (
  user_id BIGINT UNSIGNED NOT NULL,
  quiet_from SMALLINT UNSIGNED NULL,
  quiet_until SMALLINT UNSIGNED NULL,
  time_zone VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  previews BOOLEAN NOT NULL,
  language VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  updated_at_ms BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The fate of each push. A row is claimed (sending) before the provider is asked, so that a record that comes again
-- whose outcome nobody knows is sent once more and no oftener.
CREATE TABLE push_log (
  user_id BIGINT UNSIGNED NOT NULL,
  device_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  conversation_id BINARY(16) NOT NULL,
  seq BIGINT UNSIGNED NOT NULL,                                     -- of the last message that it tells of
  task_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  provider VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  outcome VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,  -- sending, sent, suppressed, deferred or failed
  reason VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  attempts INT UNSIGNED NOT NULL,
  created_at_ms BIGINT UNSIGNED NOT NULL,
  updated_at_ms BIGINT UNSIGNED NOT NULL,
  record MEDIUMTEXT NULL,                                           -- of a deferred push: what is to be produced again
  retry_at_ms BIGINT UNSIGNED NULL,
  PRIMARY KEY (user_id, device_id, conversation_id, seq),
  KEY push_log_age (created_at_ms),
  KEY push_log_retry (retry_at_ms)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
