-- When users were last seen, which connections are due for a check, what sweeps go through in pages.
-- Only adds: the code of 0002 runs on this schema unchanged.

-- When the last connection of a user went (or one of several: whoever is connected is seen now); NULL: never.
ALTER TABLE users
  ADD COLUMN last_seen_at_ms BIGINT UNSIGNED NULL;

-- When it was last known that the connection stands: at its opening, then at each check.
ALTER TABLE connections
  ADD COLUMN checked_at_ms BIGINT UNSIGNED NOT NULL DEFAULT 0,
  ADD KEY connections_check (cell_id, checked_at_ms);

ALTER TABLE login_failures
  ADD KEY login_failures_age (window_started_at_ms);

-- How far a sweep got that goes through a table in pages, many of them an invocation, none of them twice in a round.
CREATE TABLE sweep_positions (
  sweep VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  position VARBINARY(64) NOT NULL,                                  -- the last key that was done; empty: at the beginning
  round_began_at_ms BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (sweep)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
