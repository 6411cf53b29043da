-- Contacts: friend requests, friendships and blocks.
-- Only adds. `conversation_id` is everywhere the id of the pair's single chat, which both ids give (whether that chat has
-- a row or not): so what stands between the two people of many chats is found by the chats' ids, in one range each.

-- One row for each two people who ever dealt with each other here: its lock puts all that they do at once in an order.
CREATE TABLE contact_pairs (
  conversation_id BINARY(16) NOT NULL,
  PRIMARY KEY (conversation_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Requests stay when they are decided: an answer given twice is answered as the first. Under the pair's lock there is at
-- most one pending. Ids are time-ordered, so each list is read backwards along its own key.
CREATE TABLE friend_requests (
  request_id BIGINT UNSIGNED NOT NULL,
  conversation_id BINARY(16) NOT NULL,
  sender_id BIGINT UNSIGNED NOT NULL,
  recipient_id BIGINT UNSIGNED NOT NULL,
  message VARCHAR(200) NULL,
  status VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,  -- pending, accepted, rejected or withdrawn
  created_at_ms BIGINT UNSIGNED NOT NULL,
  decided_at_ms BIGINT UNSIGNED NULL,
  PRIMARY KEY (request_id),
  KEY friend_requests_pair (conversation_id, status),
  KEY friend_requests_sender (sender_id, request_id),
  KEY friend_requests_recipient (recipient_id, request_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Two rows for each friendship: what one of the two calls the other is nobody else's business.
CREATE TABLE friendships (
  conversation_id BINARY(16) NOT NULL,
  user_id BIGINT UNSIGNED NOT NULL,
  friend_id BIGINT UNSIGNED NOT NULL,
  remark VARCHAR(64) NULL,
  created_at_ms BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (conversation_id, user_id),
  KEY friendships_user (user_id, created_at_ms, friend_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE blocks (
  conversation_id BINARY(16) NOT NULL,
  blocker_id BIGINT UNSIGNED NOT NULL,
  blocked_id BIGINT UNSIGNED NOT NULL,
  created_at_ms BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (conversation_id, blocker_id),
  KEY blocks_blocker (blocker_id, created_at_ms, blocked_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
