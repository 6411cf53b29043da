-- Answers to requests that came with an Idempotency-Key, told again to whoever repeats one. A row lives for 24 h.

CREATE TABLE idempotency_keys (
  user_id BIGINT UNSIGNED NOT NULL,
  key_hash BINARY(32) NOT NULL,
  request_hash BINARY(32) NOT NULL,             -- of the method and everything that was asked of it
  seed BINARY(16) NOT NULL,                     -- what a run draws its random bits from, the same in every rerun
  attempt INT UNSIGNED NOT NULL,                -- which run holds the claim: one that was overtaken stores nothing
  claimed_at_ms BIGINT UNSIGNED NOT NULL,       -- 0: nobody runs it now
  response MEDIUMBLOB NULL,                     -- what was answered; NULL beside a NULL refusal: nothing yet
  refusal BLOB NULL,
  expires_at_ms BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (user_id, key_hash),
  KEY idempotency_keys_expiry (expires_at_ms)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
