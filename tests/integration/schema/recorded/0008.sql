-- What the code says to MySQL on this schema: each statement over examples of its values, as wide as tests had them.
-- Made by `./dev test --record-statements`; see docs/operations.md, "Write a migration". The schema:
-- 0001_initial ac60f964f76962fc20cc1448129cdcf6762ab399ee383a04fd45444412c11aeb
-- 0002_messaging 83bce38c8fc5f6522e5f3eb10cb8d342df2d73dbc4c9c83ebe20bced54e15515
-- 0003_presence 42102bb10d8850f6b1204b648415137b63d384bb7928f2121e90f5e32aac0c4e
-- 0004_idempotency 56aa5a03fa439383ad6efa05183040d44545585b6a907e98834c901f1a3b794d
-- 0005_contacts 28e6864c0974330ff7b76c68a3449ad26a19cdf464c8344cc033ab3747b8eb9c
-- 0006_groups d6bafd2665a1be41dd36bd5abb497ad77d43b0949924139cc57555cb11e8cc85
-- 0007_push d632812c6b0540824c692fd97b8de6e6cfd5fad94086c0bdd4dbaeddc6bfba66
-- 0008_large_groups 8b9a706b11e7db87566a6e8b2fc5eb941368655f5b87aa9be9e0b8538748676d

-- gochat_repo/acquaintances.py
SELECT 1, f.conversation_id FROM friendships f FORCE INDEX (PRIMARY)
 WHERE f.conversation_id IN (X'41414141414141414141414141414141') AND f.user_id = 2000000000000000000;
SELECT 1, own.conversation_id FROM conversation_participants own
 WHERE own.conversation_id IN (X'41414141414141414141414141414141') AND own.user_id = 2000000000000000000 AND own.left_seq IS NULL;
SELECT 2, b.conversation_id FROM blocks b FORCE INDEX (PRIMARY) WHERE b.conversation_id IN (X'41414141414141414141414141414141');
SELECT DISTINCT theirs.user_id FROM conversation_participants theirs FORCE INDEX (participants_activity) STRAIGHT_JOIN conversation_participants own ON own.conversation_id = theirs.conversation_id AND own.user_id = 2000000000000000000 AND own.left_seq IS NULL STRAIGHT_JOIN conversations c ON c.conversation_id = own.conversation_id AND c.type = 'group' WHERE theirs.user_id IN (2000000000000000000) AND theirs.left_seq IS NULL;
SELECT user_id FROM users WHERE user_id IN (2000000000000000000) AND deleted_at_ms IS NULL;

-- gochat_repo/blocks.py
DELETE FROM blocks WHERE conversation_id = X'41414141414141414141414141414141' AND blocker_id = 2000000000000000000;
INSERT INTO blocks (conversation_id, blocker_id, blocked_id, created_at_ms) VALUES (X'41414141414141414141414141414141', 2000000000000000000, 2000000000000000000, 2000000000000000000);
INSERT INTO blocks (conversation_id, blocker_id, blocked_id, created_at_ms) VALUES (X'41414141414141414141414141414141', 100, 100, 2000000000000000000);
INSERT INTO blocks (conversation_id, blocker_id, blocked_id, created_at_ms) VALUES (X'41414141414141414141414141414141', 1, 1, 2000000000000000000);
SELECT u.user_id, u.username, u.display_name, u.avatar_url, u.created_at_ms, b.created_at_ms
  FROM blocks b FORCE INDEX (blocks_blocker)
  STRAIGHT_JOIN users u ON u.user_id = b.blocked_id AND u.username IS NOT NULL
 WHERE b.blocker_id = 2000000000000000000
 AND b.created_at_ms <= 2000000000000000000 AND (b.created_at_ms < 2000000000000000000 OR b.blocked_id < 2000000000000000000) ORDER BY b.created_at_ms DESC, b.blocked_id DESC LIMIT 100;
SELECT u.user_id, u.username, u.display_name, u.avatar_url, u.created_at_ms, b.created_at_ms
  FROM blocks b FORCE INDEX (blocks_blocker)
  STRAIGHT_JOIN users u ON u.user_id = b.blocked_id AND u.username IS NOT NULL
 WHERE b.blocker_id = 2000000000000000000
 ORDER BY b.created_at_ms DESC, b.blocked_id DESC LIMIT 30000;

-- gochat_repo/command_context.py
SELECT 1, m.conversation_id, m.sender_id, m.seq, m.message_id, m.created_at_ms, NULL, NULL, NULL, o.number IS NULL,
       m.content_hash, m.client_msg_id, NULL, NULL
  FROM messages m
  LEFT JOIN outbox o ON o.conversation_id = m.conversation_id AND o.kind = 'message' AND o.number = m.seq
 WHERE (m.conversation_id, m.sender_id, m.client_msg_id) IN ((X'41414141414141414141414141414141', 2000000000000000000, 'AAAAAAAAA'));
SELECT 2, p.conversation_id, p.user_id, p.join_seq, p.left_seq, p.read_seq, p.sent_seq, p.delivered_seq, p.cleared_seq,
       u.user_id IS NOT NULL AND u.deleted_at_ms IS NULL, NULL, g.role, CAST(g.muted_until_ms AS CHAR), NULL
  FROM conversation_participants p FORCE INDEX (PRIMARY)
  LEFT JOIN users u ON u.user_id = p.user_id
  LEFT JOIN group_members g FORCE INDEX (PRIMARY)
         ON g.conversation_id = p.conversation_id AND g.user_id = p.user_id
 WHERE (p.conversation_id, p.user_id) IN ((X'41414141414141414141414141414141', 2000000000000000000));
SELECT 2, p.conversation_id, p.user_id, p.join_seq, p.left_seq, p.read_seq, p.sent_seq, p.delivered_seq, p.cleared_seq,
       u.user_id IS NOT NULL AND u.deleted_at_ms IS NULL, NULL, g.role, CAST(g.muted_until_ms AS CHAR), NULL
  FROM conversations c FORCE INDEX (PRIMARY)
  STRAIGHT_JOIN conversation_participants p FORCE INDEX (PRIMARY) ON p.conversation_id = c.conversation_id
  LEFT JOIN users u ON u.user_id = p.user_id
  LEFT JOIN group_members g FORCE INDEX (PRIMARY)
         ON g.conversation_id = p.conversation_id AND g.user_id = p.user_id
 WHERE c.conversation_id IN (X'41414141414141414141414141414141') AND c.is_large = FALSE;
SELECT 2, p.conversation_id, p.user_id, p.join_seq, p.left_seq, p.read_seq, p.sent_seq, p.delivered_seq, p.cleared_seq,
       u.user_id IS NOT NULL AND u.deleted_at_ms IS NULL, NULL, g.role, CAST(g.muted_until_ms AS CHAR), NULL
  FROM messages m FORCE INDEX (PRIMARY)
  STRAIGHT_JOIN conversation_participants p FORCE INDEX (PRIMARY)
             ON p.conversation_id = m.conversation_id AND p.user_id = m.sender_id
  LEFT JOIN users u ON u.user_id = p.user_id
  LEFT JOIN group_members g FORCE INDEX (PRIMARY)
         ON g.conversation_id = p.conversation_id AND g.user_id = p.user_id
 WHERE (m.conversation_id, m.seq) IN ((X'41414141414141414141414141414141', 100));
SELECT 3, NULL, u.user_id, u.created_at_ms, NULL, NULL, NULL, NULL, NULL, TRUE, NULL, u.username, u.display_name,
       u.avatar_url
  FROM users u WHERE u.user_id IN (2000000000) AND u.deleted_at_ms IS NULL;
SELECT 4, m.conversation_id, m.sender_id, m.seq, m.created_at_ms, m.edited_at_ms, m.recalled_at_ms, m.last_change, NULL,
       o.number IS NULL, LEFT(UNHEX(SHA2(m.content, 256)), 16), m.type, m.reactions, o.payload
  FROM messages m
  LEFT JOIN outbox o ON o.conversation_id = m.conversation_id AND o.kind = 'change' AND o.number = m.last_change
 WHERE (m.conversation_id, m.seq) IN ((X'41414141414141414141414141414141', 30000));
SELECT 5, r.conversation_id, r.user_id, r.seq, NULL, NULL, NULL, NULL, NULL, TRUE, NULL, r.emoji, NULL, NULL
  FROM message_reactions r WHERE (r.conversation_id, r.seq, r.emoji, r.user_id) IN ((X'41414141414141414141414141414141', 100, '😀AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 2000000000)) AND NOT r.is_removed;
SELECT 6, b.conversation_id, b.blocker_id, NULL, NULL, NULL, NULL, NULL, NULL, TRUE, NULL, NULL, NULL, NULL
  FROM blocks b FORCE INDEX (PRIMARY) WHERE b.conversation_id IN (X'41414141414141414141414141414141');
SELECT 7, f.conversation_id, f.user_id, NULL, NULL, NULL, NULL, NULL, NULL, TRUE, NULL, NULL, NULL, NULL
  FROM friendships f FORCE INDEX (PRIMARY) WHERE f.conversation_id IN (X'41414141414141414141414141414141');
SELECT 8, g.conversation_id, g.owner_id, g.dissolved_at_ms, c.is_large, NULL, NULL, NULL, NULL, g.muted_all, NULL,
       NULL, NULL, NULL
  FROM `groups` g FORCE INDEX (groups_conversation)
  STRAIGHT_JOIN conversations c FORCE INDEX (PRIMARY) ON c.conversation_id = g.conversation_id
 WHERE g.conversation_id IN (X'41414141414141414141414141414141');

-- gochat_repo/connection_checks.py
SELECT cell_id, COUNT(*) FROM connections WHERE cell_id IN ('AA') GROUP BY cell_id;
SELECT user_id, device_id, connection_id FROM connections WHERE connected_at_ms < 2000000000000000000 LIMIT 30000;
SELECT user_id, device_id, session_id, cell_id, connection_id, connected_at_ms FROM connections WHERE cell_id = 'AA' AND checked_at_ms < 2000000000000000000 ORDER BY checked_at_ms LIMIT 30000 FOR UPDATE SKIP LOCKED;
UPDATE connections SET checked_at_ms = 2000000000000000000 WHERE (user_id, device_id) IN ((100, 'laptop'), (100, 'phone'));

-- gochat_repo/connections.py
DELETE FROM connections WHERE (user_id, device_id) IN ((2000000000000000000, 'laptop'), (2000000000000000000, 'phone'), (2000000000000000000, 'tablet')) AND connection_id IN ('AAAAAAAAAAAAAAAA');
INSERT INTO connections (user_id, device_id, session_id, cell_id, connection_id, connected_at_ms, checked_at_ms) VALUES (2000000000000000000, 'laptop', 2000000000000000000, 'AA', 'AAAAAAAAAAAAAAAA', 2000000000000000000, 2000000000000000000) ON DUPLICATE KEY UPDATE user_id = user_id;
INSERT INTO connections (user_id, device_id, session_id, cell_id, connection_id, connected_at_ms, checked_at_ms) VALUES (2000000000, 'phone', 100, 'AA', 'AAAAAAAAAAAAAAAA', 30000, 30000) ON DUPLICATE KEY UPDATE user_id = user_id;
INSERT INTO connections (user_id, device_id, session_id, cell_id, connection_id, connected_at_ms, checked_at_ms) VALUES (30000, 'tablet', 1, 'AA', 'AAAAAAAAAAAAAAAA', 100, 100) ON DUPLICATE KEY UPDATE user_id = user_id;
INSERT INTO connections (user_id, device_id, session_id, cell_id, connection_id, connected_at_ms, checked_at_ms) VALUES (100, 'laptop', 2000000000000000000, 'AA', 'AAAAAAAAAAAAAAAA', 2000000000000000000, 2000000000000000000) ON DUPLICATE KEY UPDATE user_id = user_id;
INSERT INTO connections (user_id, device_id, session_id, cell_id, connection_id, connected_at_ms, checked_at_ms) VALUES (1, 'phone', 100, 'AA', 'AAAAAAAAAAAAAAAA', 30000, 30000) ON DUPLICATE KEY UPDATE user_id = user_id;
INSERT INTO connections (user_id, device_id, session_id, cell_id, connection_id, connected_at_ms, checked_at_ms) VALUES (0, 'tablet', 1, 'AA', 'AAAAAAAAAAAAAAAA', 100, 100) ON DUPLICATE KEY UPDATE user_id = user_id;
SELECT user_id, device_id, session_id, cell_id, connection_id, connected_at_ms FROM connections WHERE user_id = 2000000000000000000 AND device_id = 'laptop';
SELECT user_id, device_id, session_id, cell_id, connection_id, connected_at_ms FROM connections WHERE user_id = 2000000000000000000 AND device_id = 'phone';
SELECT user_id, device_id, session_id, cell_id, connection_id, connected_at_ms FROM connections WHERE user_id IN (2000000000000000000);
UPDATE connections SET session_id = 2000000000000000000, cell_id = 'AA', connection_id = 'AAAAAAAAAAAAAAAA', connected_at_ms = 2000000000000000000, checked_at_ms = 2000000000000000000 WHERE user_id = 2000000000000000000 AND device_id = 'laptop';
UPDATE connections SET session_id = 2000000000000000000, cell_id = 'AA', connection_id = 'AAAAAAAAAAAAAAAA', connected_at_ms = 2000000000000000000, checked_at_ms = 2000000000000000000 WHERE user_id = 2000000000000000000 AND device_id = 'phone';
UPDATE users SET last_seen_at_ms = GREATEST(COALESCE(last_seen_at_ms, 0), 2000000000000000000) WHERE user_id IN (2000000000000000000);

-- gochat_repo/contact_erasure.py
DELETE FROM blocks WHERE blocker_id = 2000000000000000000;
DELETE FROM friend_requests WHERE recipient_id = 2000000000000000000;
DELETE FROM friend_requests WHERE sender_id = 2000000000000000000;
DELETE f FROM friendships own JOIN friendships f ON f.conversation_id = own.conversation_id WHERE own.user_id = 2000000000000000000;

-- gochat_repo/contact_pairs.py
INSERT INTO contact_pairs (conversation_id) VALUES (X'41414141414141414141414141414141') ON DUPLICATE KEY UPDATE conversation_id = VALUES(conversation_id);
SELECT EXISTS (SELECT 1 FROM blocks WHERE conversation_id = X'41414141414141414141414141414141' AND blocker_id = 2000000000000000000),
       EXISTS (SELECT 1 FROM blocks WHERE conversation_id = X'41414141414141414141414141414141' AND blocker_id = 2000000000000000000),
       EXISTS (SELECT 1 FROM friendships WHERE conversation_id = X'41414141414141414141414141414141'),
       c.user_id, c.username, c.display_name, c.avatar_url, c.created_at_ms, p.user_id, p.username, p.display_name, p.avatar_url, p.created_at_ms, r.request_id, r.sender_id, r.recipient_id, r.message, r.status, r.created_at_ms
  FROM (SELECT 1 AS here) o
  LEFT JOIN users c ON c.user_id = 2000000000000000000 AND c.username IS NOT NULL
  LEFT JOIN users p ON p.user_id = 2000000000000000000 AND p.username IS NOT NULL
  LEFT JOIN friend_requests r ON
r.conversation_id = X'41414141414141414141414141414141' AND r.status = 'pending';
SELECT EXISTS (SELECT 1 FROM blocks WHERE conversation_id = X'41414141414141414141414141414141' AND blocker_id = 2000000000000000000),
       EXISTS (SELECT 1 FROM blocks WHERE conversation_id = X'41414141414141414141414141414141' AND blocker_id = 2000000000000000000),
       EXISTS (SELECT 1 FROM friendships WHERE conversation_id = X'41414141414141414141414141414141'),
       c.user_id, c.username, c.display_name, c.avatar_url, c.created_at_ms, p.user_id, p.username, p.display_name, p.avatar_url, p.created_at_ms, r.request_id, r.sender_id, r.recipient_id, r.message, r.status, r.created_at_ms
  FROM (SELECT 1 AS here) o
  LEFT JOIN users c ON c.user_id = 2000000000000000000 AND c.username IS NOT NULL
  LEFT JOIN users p ON p.user_id = 2000000000000000000 AND p.username IS NOT NULL
  LEFT JOIN friend_requests r ON
r.request_id = 2000000000000000000;

-- gochat_repo/conversation_entries.py
SELECT p.conversation_id, c.type, c.member_count, c.last_change,
       IF(p.is_large, c.activity_at_ms, p.activity_at_ms), c.last_seq, p.join_seq, p.read_seq, p.sent_seq,
       p.cleared_seq, c.expired_seq, p.hidden_seq IS NOT NULL AND c.last_seq <= p.hidden_seq, p.muted, p.pinned,
       q.delivered_seq, q.read_seq, u.user_id, u.username, u.display_name, u.created_at_ms, u.avatar_url, g.name,
       g.group_id, m.conversation_id, m.seq, m.message_id, m.sender_id, m.client_msg_id, m.content_hash, m.type, m.content, m.reply_to_seq, m.mentions, m.created_at_ms, m.edited_at_ms, m.recalled_at_ms, m.last_change, m.reactions, p.user_id
  FROM (
    (SELECT p.conversation_id, p.activity_at_ms AS active_at_ms
       FROM conversation_participants p FORCE INDEX (participants_activity)
       STRAIGHT_JOIN conversations c ON c.conversation_id = p.conversation_id
      WHERE p.user_id = 2000000000000000000 AND p.is_large = FALSE AND p.left_seq IS NULL AND (p.hidden_seq IS NULL OR c.last_seq > p.hidden_seq)
        AND p.activity_at_ms <= 2000000000000000000 AND (p.activity_at_ms < 2000000000000000000 OR p.conversation_id < X'41414141414141414141414141414141')
      ORDER BY p.activity_at_ms DESC, p.conversation_id DESC LIMIT 30000)
    UNION ALL
    (SELECT p.conversation_id, c.activity_at_ms AS active_at_ms
       FROM conversation_participants p FORCE INDEX (participants_large)
       STRAIGHT_JOIN conversations c ON c.conversation_id = p.conversation_id
      WHERE p.user_id = 2000000000000000000 AND p.is_large = TRUE AND p.left_seq IS NULL AND (p.hidden_seq IS NULL OR c.last_seq > p.hidden_seq)
        AND c.activity_at_ms <= 2000000000000000000 AND (c.activity_at_ms < 2000000000000000000 OR p.conversation_id < X'41414141414141414141414141414141')
      ORDER BY c.activity_at_ms DESC, p.conversation_id DESC LIMIT 30000)
    ORDER BY active_at_ms DESC, conversation_id DESC LIMIT 30000
  ) k
  STRAIGHT_JOIN conversation_participants p ON p.conversation_id = k.conversation_id AND p.user_id = 2000000000000000000
  STRAIGHT_JOIN conversations c ON c.conversation_id = p.conversation_id
  LEFT JOIN conversation_participants q
         ON c.type = 'single' AND q.conversation_id = p.conversation_id AND q.user_id <> p.user_id
  LEFT JOIN users u ON u.user_id = q.user_id
  LEFT JOIN `groups` g FORCE INDEX (groups_conversation)
         ON c.type = 'group' AND g.conversation_id = p.conversation_id
  LEFT JOIN messages m
         ON m.conversation_id = c.conversation_id AND m.seq = c.last_seq
        AND m.seq >= p.join_seq AND m.seq > p.cleared_seq AND m.seq > c.expired_seq
 WHERE p.left_seq IS NULL
 ORDER BY k.active_at_ms DESC, p.conversation_id DESC;
SELECT p.conversation_id, c.type, c.member_count, c.last_change,
       IF(p.is_large, c.activity_at_ms, p.activity_at_ms), c.last_seq, p.join_seq, p.read_seq, p.sent_seq,
       p.cleared_seq, c.expired_seq, p.hidden_seq IS NOT NULL AND c.last_seq <= p.hidden_seq, p.muted, p.pinned,
       q.delivered_seq, q.read_seq, u.user_id, u.username, u.display_name, u.created_at_ms, u.avatar_url, g.name,
       g.group_id, m.conversation_id, m.seq, m.message_id, m.sender_id, m.client_msg_id, m.content_hash, m.type, m.content, m.reply_to_seq, m.mentions, m.created_at_ms, m.edited_at_ms, m.recalled_at_ms, m.last_change, m.reactions, p.user_id
  FROM conversation_participants p
  STRAIGHT_JOIN conversations c ON c.conversation_id = p.conversation_id
  LEFT JOIN conversation_participants q
         ON c.type = 'single' AND q.conversation_id = p.conversation_id AND q.user_id <> p.user_id
  LEFT JOIN users u ON u.user_id = q.user_id
  LEFT JOIN `groups` g FORCE INDEX (groups_conversation)
         ON c.type = 'group' AND g.conversation_id = p.conversation_id
  LEFT JOIN messages m
         ON m.conversation_id = c.conversation_id AND m.seq = c.last_seq
        AND m.seq >= p.join_seq AND m.seq > p.cleared_seq AND m.seq > c.expired_seq
 WHERE p.left_seq IS NULL
 AND (p.conversation_id, p.user_id) IN ((X'41414141414141414141414141414141', 2000000000000000000));

-- gochat_repo/conversations.py
INSERT INTO conversation_participants (conversation_id, user_id, activity_at_ms) VALUES (X'41414141414141414141414141414141', 2000000000000000000, 2000000000000000000);
INSERT INTO conversation_participants (conversation_id, user_id, activity_at_ms) VALUES (X'41414141414141414141414141414141', 2000000000, 1);
INSERT INTO conversation_participants (conversation_id, user_id, activity_at_ms) VALUES (X'41414141414141414141414141414141', 30000, 2000000000000000000);
INSERT INTO conversation_participants (conversation_id, user_id, activity_at_ms) VALUES (X'41414141414141414141414141414141', 100, 1);
INSERT INTO conversation_participants (conversation_id, user_id, activity_at_ms) VALUES (X'41414141414141414141414141414141', 1, 2000000000000000000);
INSERT INTO conversation_participants (conversation_id, user_id, read_seq, sent_seq, delivered_seq, activity_at_ms, changed_at_ms) VALUES (X'41414141414141414141414141414141', 2000000000, 100, 30000, 100, 2000000000000000000, 2000000000000000000) ON DUPLICATE KEY UPDATE read_seq = GREATEST(read_seq, VALUES(read_seq)), sent_seq = GREATEST(sent_seq, VALUES(sent_seq)), delivered_seq = GREATEST(delivered_seq, VALUES(delivered_seq)), activity_at_ms = GREATEST(activity_at_ms, VALUES(activity_at_ms)), changed_at_ms = GREATEST(changed_at_ms, VALUES(changed_at_ms));
INSERT INTO conversation_participants (conversation_id, user_id, read_seq, sent_seq, delivered_seq, activity_at_ms, changed_at_ms) VALUES (X'41414141414141414141414141414141', 30000, 1, 100, 0, 2000000000000000000, 0) ON DUPLICATE KEY UPDATE read_seq = GREATEST(read_seq, VALUES(read_seq)), sent_seq = GREATEST(sent_seq, VALUES(sent_seq)), delivered_seq = GREATEST(delivered_seq, VALUES(delivered_seq)), activity_at_ms = GREATEST(activity_at_ms, VALUES(activity_at_ms)), changed_at_ms = GREATEST(changed_at_ms, VALUES(changed_at_ms));
INSERT INTO conversation_participants (conversation_id, user_id, read_seq, sent_seq, delivered_seq, activity_at_ms, changed_at_ms) VALUES (X'41414141414141414141414141414141', 100, 0, 1, 100, 2000000000000000000, 2000000000000000000) ON DUPLICATE KEY UPDATE read_seq = GREATEST(read_seq, VALUES(read_seq)), sent_seq = GREATEST(sent_seq, VALUES(sent_seq)), delivered_seq = GREATEST(delivered_seq, VALUES(delivered_seq)), activity_at_ms = GREATEST(activity_at_ms, VALUES(activity_at_ms)), changed_at_ms = GREATEST(changed_at_ms, VALUES(changed_at_ms));
INSERT INTO conversation_participants (conversation_id, user_id, read_seq, sent_seq, delivered_seq, activity_at_ms, changed_at_ms) VALUES (X'41414141414141414141414141414141', 1, 100, 0, 0, 2000000000000000000, 0) ON DUPLICATE KEY UPDATE read_seq = GREATEST(read_seq, VALUES(read_seq)), sent_seq = GREATEST(sent_seq, VALUES(sent_seq)), delivered_seq = GREATEST(delivered_seq, VALUES(delivered_seq)), activity_at_ms = GREATEST(activity_at_ms, VALUES(activity_at_ms)), changed_at_ms = GREATEST(changed_at_ms, VALUES(changed_at_ms));
INSERT INTO conversations (conversation_id, type, member_count, created_at_ms, last_seq, last_change, updated_at_ms, activity_at_ms) VALUES (X'41414141414141414141414141414141', 'group', 100, 2000000000000000000, 30000, 100, 2000000000000000000, 2000000000000000000) ON DUPLICATE KEY UPDATE last_seq = GREATEST(last_seq, VALUES(last_seq)), last_change = GREATEST(last_change, VALUES(last_change)), updated_at_ms = GREATEST(updated_at_ms, VALUES(updated_at_ms)), activity_at_ms = GREATEST(activity_at_ms, VALUES(activity_at_ms));
INSERT INTO conversations (conversation_id, type, member_count, created_at_ms, last_seq, last_change, updated_at_ms, activity_at_ms) VALUES (X'41414141414141414141414141414141', 'single', 100, 2000000000000000000, 100, 1, 2000000000000000000, 2000000000000000000) ON DUPLICATE KEY UPDATE last_seq = GREATEST(last_seq, VALUES(last_seq)), last_change = GREATEST(last_change, VALUES(last_change)), updated_at_ms = GREATEST(updated_at_ms, VALUES(updated_at_ms)), activity_at_ms = GREATEST(activity_at_ms, VALUES(activity_at_ms));
INSERT INTO conversations (conversation_id, type, member_count, created_at_ms, last_seq, last_change, updated_at_ms, activity_at_ms) VALUES (X'41414141414141414141414141414141', 'group', 100, 2000000000000000000, 1, 0, 2000000000000000000, 2000000000000000000) ON DUPLICATE KEY UPDATE last_seq = GREATEST(last_seq, VALUES(last_seq)), last_change = GREATEST(last_change, VALUES(last_change)), updated_at_ms = GREATEST(updated_at_ms, VALUES(updated_at_ms)), activity_at_ms = GREATEST(activity_at_ms, VALUES(activity_at_ms));
INSERT INTO conversations (conversation_id, type, member_count, created_at_ms, updated_at_ms) VALUES (X'41414141414141414141414141414141', 'single', 100, 2000000000000000000, 2000000000000000000);
INSERT INTO conversations (conversation_id, type, member_count, created_at_ms, updated_at_ms) VALUES (X'41414141414141414141414141414141', 'single', 100, 1, 1);
SELECT conversation_id, type, last_seq, last_change, expired_seq, member_count, is_large, members_version FROM conversations WHERE conversation_id IN (X'41414141414141414141414141414141') ORDER BY conversation_id FOR UPDATE;
UPDATE (SELECT X'41414141414141414141414141414141' AS conversation_id, 30000 AS last_seq, 30000 AS last_change, 2000000000000000000 AS updated_at_ms, 2000000000000000000 AS told_at_ms, 2000000000000000000 AS user_id, 100 AS read_seq, 30000 AS sent_seq, 100 AS delivered_seq, 2000000000000000000 AS activity_at_ms, 2000000000000000000 AS changed_at_ms UNION ALL SELECT X'41414141414141414141414141414141', 30000, 30000, 2000000000000000000, 2000000000000000000, 2000000000000000000, 100, 30000, 100, 2000000000000000000, 2000000000000000000) v
  STRAIGHT_JOIN conversations c FORCE INDEX (PRIMARY) ON c.conversation_id = v.conversation_id
  STRAIGHT_JOIN conversation_participants p FORCE INDEX (PRIMARY)
             ON p.conversation_id = v.conversation_id AND p.user_id = v.user_id
   SET c.last_seq = v.last_seq, c.last_change = v.last_change,
       c.updated_at_ms = GREATEST(c.updated_at_ms, v.updated_at_ms),
       c.activity_at_ms = GREATEST(c.activity_at_ms, v.told_at_ms),
       p.read_seq = GREATEST(p.read_seq, v.read_seq), p.sent_seq = GREATEST(p.sent_seq, v.sent_seq),
       p.delivered_seq = GREATEST(p.delivered_seq, v.delivered_seq),
       p.activity_at_ms = GREATEST(p.activity_at_ms, v.activity_at_ms),
       p.changed_at_ms = GREATEST(p.changed_at_ms, v.changed_at_ms);
UPDATE (SELECT X'41414141414141414141414141414141' AS conversation_id, 100 AS last_seq, 100 AS last_change, 2000000000000000000 AS updated_at_ms, 2000000000000000000 AS told_at_ms, 2000000000000000000 AS user_id, 100 AS read_seq, 100 AS sent_seq, 0 AS delivered_seq, 2000000000000000000 AS activity_at_ms, 2000000000000000000 AS changed_at_ms) v
  STRAIGHT_JOIN conversations c FORCE INDEX (PRIMARY) ON c.conversation_id = v.conversation_id
  STRAIGHT_JOIN conversation_participants p FORCE INDEX (PRIMARY)
             ON p.conversation_id = v.conversation_id AND p.user_id = v.user_id
   SET c.last_seq = v.last_seq, c.last_change = v.last_change,
       c.updated_at_ms = GREATEST(c.updated_at_ms, v.updated_at_ms),
       c.activity_at_ms = GREATEST(c.activity_at_ms, v.told_at_ms),
       p.read_seq = GREATEST(p.read_seq, v.read_seq), p.sent_seq = GREATEST(p.sent_seq, v.sent_seq),
       p.delivered_seq = GREATEST(p.delivered_seq, v.delivered_seq),
       p.activity_at_ms = GREATEST(p.activity_at_ms, v.activity_at_ms),
       p.changed_at_ms = GREATEST(p.changed_at_ms, v.changed_at_ms);

-- gochat_repo/devices.py
DELETE FROM devices WHERE user_id = 2000000000000000000;
INSERT INTO devices (user_id, device_id, platform, created_at_ms, last_login_at_ms) VALUES (2000000000000000000, 'laptop', 'ios', 2000000000000000000, 2000000000000000000) ON DUPLICATE KEY UPDATE platform = VALUES(platform), last_login_at_ms = VALUES(last_login_at_ms);
INSERT INTO devices (user_id, device_id, platform, created_at_ms, last_login_at_ms) VALUES (2000000000000000000, 'phone', 'ios', 2000000000000000000, 2000000000000000000) ON DUPLICATE KEY UPDATE platform = VALUES(platform), last_login_at_ms = VALUES(last_login_at_ms);
INSERT INTO devices (user_id, device_id, platform, created_at_ms, last_login_at_ms) VALUES (2000000000000000000, 'tablet', 'ios', 2000000000000000000, 2000000000000000000) ON DUPLICATE KEY UPDATE platform = VALUES(platform), last_login_at_ms = VALUES(last_login_at_ms);
INSERT INTO devices (user_id, device_id, platform, created_at_ms, last_login_at_ms) VALUES (2000000000000000000, 'web', 'ios', 2000000000000000000, 2000000000000000000) ON DUPLICATE KEY UPDATE platform = VALUES(platform), last_login_at_ms = VALUES(last_login_at_ms);

-- gochat_repo/expired_rows.py
DELETE FROM login_failures WHERE window_started_at_ms < 2000000000000000000 ORDER BY window_started_at_ms LIMIT 100;
DELETE FROM sessions WHERE expires_at_ms < 2000000000000000000 ORDER BY expires_at_ms LIMIT 100;
DELETE FROM used_tickets WHERE expires_at_ms < 2000000000000000000 ORDER BY expires_at_ms LIMIT 100;

-- gochat_repo/friend_requests.py
(SELECT r.request_id, r.sender_id, r.recipient_id, r.message, r.status, r.created_at_ms, u.user_id, u.username, u.display_name, u.avatar_url, u.created_at_ms
   FROM friend_requests r FORCE INDEX (friend_requests_recipient)
   STRAIGHT_JOIN users u ON u.user_id = r.sender_id AND u.username IS NOT NULL
  WHERE r.recipient_id = 2000000000000000000 AND r.request_id < 2000000000000000000
  ORDER BY r.request_id DESC LIMIT 30000);
(SELECT r.request_id, r.sender_id, r.recipient_id, r.message, r.status, r.created_at_ms, u.user_id, u.username, u.display_name, u.avatar_url, u.created_at_ms
   FROM friend_requests r FORCE INDEX (friend_requests_sender)
   STRAIGHT_JOIN users u ON u.user_id = r.recipient_id AND u.username IS NOT NULL
  WHERE r.sender_id = 2000000000000000000 AND r.request_id < 2000000000000000000
  ORDER BY r.request_id DESC LIMIT 30000);
INSERT INTO friend_requests (request_id, conversation_id, sender_id, recipient_id, message, status, created_at_ms) VALUES (2000000000000000000, X'41414141414141414141414141414141', 2000000000000000000, 2000000000000000000, CONCAT('😀', REPEAT('A', 199)), 'pending', 2000000000000000000);
INSERT INTO friend_requests (request_id, conversation_id, sender_id, recipient_id, message, status, created_at_ms) VALUES (2000000000000000000, X'41414141414141414141414141414141', 2000000000000000000, 2000000000000000000, 'AAAAAAAA', 'pending', 2000000000000000000);
INSERT INTO friend_requests (request_id, conversation_id, sender_id, recipient_id, message, status, created_at_ms) VALUES (2000000000000000000, X'41414141414141414141414141414141', 2000000000000000000, 2000000000000000000, NULL, 'pending', 2000000000000000000);
SELECT r.request_id, r.sender_id, r.recipient_id, r.message, r.status, r.created_at_ms FROM friend_requests r WHERE r.request_id = 2000000000000000000;
UPDATE friend_requests SET status = 'accepted', decided_at_ms = 2000000000000000000 WHERE request_id = 2000000000000000000;
UPDATE friend_requests SET status = 'rejected', decided_at_ms = 2000000000000000000 WHERE request_id = 2000000000000000000;
UPDATE friend_requests SET status = 'withdrawn', decided_at_ms = 2000000000000000000 WHERE request_id = 2000000000000000000;

-- gochat_repo/friendships.py
DELETE FROM friendships WHERE conversation_id = X'41414141414141414141414141414141';
INSERT INTO friendships (conversation_id, user_id, friend_id, created_at_ms) VALUES (X'41414141414141414141414141414141', 2000000000000000000, 2000000000000000000, 2000000000000000000);
INSERT INTO friendships (conversation_id, user_id, friend_id, created_at_ms) VALUES (X'41414141414141414141414141414141', 100, 100, 1);
INSERT INTO friendships (conversation_id, user_id, friend_id, created_at_ms) VALUES (X'41414141414141414141414141414141', 1, 1, 2000000000000000000);
SELECT u.user_id, u.username, u.display_name, u.avatar_url, u.created_at_ms, f.remark, f.created_at_ms,
       EXISTS (SELECT 1 FROM connections c WHERE c.user_id = f.friend_id), u.last_seen_at_ms
  FROM friendships f
  STRAIGHT_JOIN users u ON u.user_id = f.friend_id AND u.username IS NOT NULL
 WHERE f.user_id = 2000000000000000000
 AND f.conversation_id = X'41414141414141414141414141414141';
SELECT u.user_id, u.username, u.display_name, u.avatar_url, u.created_at_ms, f.remark, f.created_at_ms,
       EXISTS (SELECT 1 FROM connections c WHERE c.user_id = f.friend_id), u.last_seen_at_ms
  FROM friendships f FORCE INDEX (friendships_user)
  STRAIGHT_JOIN users u ON u.user_id = f.friend_id AND u.username IS NOT NULL
 WHERE f.user_id = 2000000000000000000
 AND f.created_at_ms <= 2000000000000000000 AND (f.created_at_ms < 2000000000000000000 OR f.friend_id < 2000000000000000000) ORDER BY f.created_at_ms DESC, f.friend_id DESC LIMIT 100;
SELECT u.user_id, u.username, u.display_name, u.avatar_url, u.created_at_ms, f.remark, f.created_at_ms,
       EXISTS (SELECT 1 FROM connections c WHERE c.user_id = f.friend_id), u.last_seen_at_ms
  FROM friendships f FORCE INDEX (friendships_user)
  STRAIGHT_JOIN users u ON u.user_id = f.friend_id AND u.username IS NOT NULL
 WHERE f.user_id = 2000000000000000000
 ORDER BY f.created_at_ms DESC, f.friend_id DESC LIMIT 30000;
UPDATE friendships SET remark = '😀AAAAAA' WHERE conversation_id = X'41414141414141414141414141414141' AND user_id = 2000000000000000000;
UPDATE friendships SET remark = 'AAAAA' WHERE conversation_id = X'41414141414141414141414141414141' AND user_id = 2000000000000000000;
UPDATE friendships SET remark = NULL WHERE conversation_id = X'41414141414141414141414141414141' AND user_id = 2000000000000000000;

-- gochat_repo/group_conversations.py
INSERT INTO conversations (conversation_id, type, member_count, created_at_ms, updated_at_ms) VALUES (X'41414141414141414141414141414141', 'group', 0, 2000000000000000000, 2000000000000000000);
UPDATE conversation_participants
   SET activity_at_ms = GREATEST(activity_at_ms, 2000000000000000000), sent_seq = IF(user_id = 2000000000000000000, GREATEST(sent_seq, 100), sent_seq)
 WHERE conversation_id = X'41414141414141414141414141414141' AND left_seq IS NULL;
UPDATE conversation_participants
   SET activity_at_ms = GREATEST(activity_at_ms, 2000000000000000000), sent_seq = IF(user_id = 2000000000000000000, GREATEST(sent_seq, 100), sent_seq)
 WHERE conversation_id = X'41414141414141414141414141414141' AND left_seq IS NULL AND user_id = 2000000000000000000;
UPDATE conversation_participants SET is_large = TRUE WHERE conversation_id = X'41414141414141414141414141414141' AND left_seq IS NULL AND NOT is_large;
UPDATE conversations SET last_seq = 100, member_count = 30000, members_version = members_version + 1, is_large = FALSE, updated_at_ms = GREATEST(updated_at_ms, 2000000000000000000), activity_at_ms = GREATEST(activity_at_ms, 2000000000000000000) WHERE conversation_id = X'41414141414141414141414141414141';
UPDATE conversations SET last_seq = 100, member_count = 30000, members_version = members_version + 1, is_large = TRUE, updated_at_ms = GREATEST(updated_at_ms, 2000000000000000000), activity_at_ms = GREATEST(activity_at_ms, 2000000000000000000) WHERE conversation_id = X'41414141414141414141414141414141';

-- gochat_repo/group_members.py
(SELECT m.user_id, m.role, m.muted_until_ms, m.joined_at_ms, u.user_id, u.username, u.display_name, u.avatar_url, u.created_at_ms
   FROM group_members m FORCE INDEX (group_members_seniority)
   STRAIGHT_JOIN users u ON u.user_id = m.user_id AND u.username IS NOT NULL
  WHERE m.conversation_id = X'41414141414141414141414141414141' AND m.role = 'admin' AND m.user_id <> 2000000000000000000
  ORDER BY m.joined_at_ms, m.user_id LIMIT 1);
(SELECT m.user_id, m.role, m.muted_until_ms, m.joined_at_ms, u.user_id, u.username, u.display_name, u.avatar_url, u.created_at_ms
   FROM group_members m FORCE INDEX (group_members_seniority)
   STRAIGHT_JOIN users u ON u.user_id = m.user_id AND u.username IS NOT NULL
  WHERE m.conversation_id = X'41414141414141414141414141414141' AND m.role = 'member' AND m.user_id <> 2000000000000000000
  ORDER BY m.joined_at_ms, m.user_id LIMIT 1);
DELETE FROM group_members WHERE conversation_id = X'41414141414141414141414141414141' AND user_id IN (2000000000000000000);
INSERT INTO conversation_participants
  (conversation_id, user_id, join_seq, activity_at_ms, changed_at_ms, is_large) VALUES (X'41414141414141414141414141414141', 2000000000000000000, 100, 2000000000000000000, 2000000000000000000, FALSE)
ON DUPLICATE KEY UPDATE join_seq = VALUES(join_seq), left_seq = NULL, hidden_seq = NULL, is_large = VALUES(is_large),
  activity_at_ms = GREATEST(activity_at_ms, VALUES(activity_at_ms)),
  changed_at_ms = GREATEST(changed_at_ms, VALUES(changed_at_ms)),
  cleared_at_ms = GREATEST(cleared_at_ms, VALUES(changed_at_ms));
INSERT INTO conversation_participants
  (conversation_id, user_id, join_seq, activity_at_ms, changed_at_ms, is_large) VALUES (X'41414141414141414141414141414141', 2000000000, 1, 2000000000000000000, 2000000000000000000, TRUE)
ON DUPLICATE KEY UPDATE join_seq = VALUES(join_seq), left_seq = NULL, hidden_seq = NULL, is_large = VALUES(is_large),
  activity_at_ms = GREATEST(activity_at_ms, VALUES(activity_at_ms)),
  changed_at_ms = GREATEST(changed_at_ms, VALUES(changed_at_ms)),
  cleared_at_ms = GREATEST(cleared_at_ms, VALUES(changed_at_ms));
INSERT INTO conversation_participants
  (conversation_id, user_id, join_seq, activity_at_ms, changed_at_ms, is_large) VALUES (X'41414141414141414141414141414141', 30000, 100, 2000000000000000000, 2000000000000000000, FALSE)
ON DUPLICATE KEY UPDATE join_seq = VALUES(join_seq), left_seq = NULL, hidden_seq = NULL, is_large = VALUES(is_large),
  activity_at_ms = GREATEST(activity_at_ms, VALUES(activity_at_ms)),
  changed_at_ms = GREATEST(changed_at_ms, VALUES(changed_at_ms)),
  cleared_at_ms = GREATEST(cleared_at_ms, VALUES(changed_at_ms));
INSERT INTO conversation_participants
  (conversation_id, user_id, join_seq, activity_at_ms, changed_at_ms, is_large) VALUES (X'41414141414141414141414141414141', 100, 1, 2000000000000000000, 2000000000000000000, TRUE)
ON DUPLICATE KEY UPDATE join_seq = VALUES(join_seq), left_seq = NULL, hidden_seq = NULL, is_large = VALUES(is_large),
  activity_at_ms = GREATEST(activity_at_ms, VALUES(activity_at_ms)),
  changed_at_ms = GREATEST(changed_at_ms, VALUES(changed_at_ms)),
  cleared_at_ms = GREATEST(cleared_at_ms, VALUES(changed_at_ms));
INSERT INTO conversation_participants
  (conversation_id, user_id, join_seq, activity_at_ms, changed_at_ms, is_large) VALUES (X'41414141414141414141414141414141', 1, 100, 2000000000000000000, 2000000000000000000, FALSE)
ON DUPLICATE KEY UPDATE join_seq = VALUES(join_seq), left_seq = NULL, hidden_seq = NULL, is_large = VALUES(is_large),
  activity_at_ms = GREATEST(activity_at_ms, VALUES(activity_at_ms)),
  changed_at_ms = GREATEST(changed_at_ms, VALUES(changed_at_ms)),
  cleared_at_ms = GREATEST(cleared_at_ms, VALUES(changed_at_ms));
INSERT INTO group_members (conversation_id, user_id, role, muted_until_ms, joined_at_ms) VALUES (X'41414141414141414141414141414141', 2000000000000000000, 'admin', 2000000000000000000, 2000000000000000000) ON DUPLICATE KEY UPDATE role = VALUES(role), muted_until_ms = VALUES(muted_until_ms);
INSERT INTO group_members (conversation_id, user_id, role, muted_until_ms, joined_at_ms) VALUES (X'41414141414141414141414141414141', 2000000000, 'member', NULL, 2000000000) ON DUPLICATE KEY UPDATE role = VALUES(role), muted_until_ms = VALUES(muted_until_ms);
INSERT INTO group_members (conversation_id, user_id, role, muted_until_ms, joined_at_ms) VALUES (X'41414141414141414141414141414141', 30000, 'owner', 2000000000000000000, 2000000000000000000) ON DUPLICATE KEY UPDATE role = VALUES(role), muted_until_ms = VALUES(muted_until_ms);
INSERT INTO group_members (conversation_id, user_id, role, muted_until_ms, joined_at_ms) VALUES (X'41414141414141414141414141414141', 100, 'admin', NULL, 2000000000) ON DUPLICATE KEY UPDATE role = VALUES(role), muted_until_ms = VALUES(muted_until_ms);
INSERT INTO group_members (conversation_id, user_id, role, muted_until_ms, joined_at_ms) VALUES (X'41414141414141414141414141414141', 1, 'member', 2000000000000000000, 2000000000000000000) ON DUPLICATE KEY UPDATE role = VALUES(role), muted_until_ms = VALUES(muted_until_ms);
SELECT 1 FROM conversation_participants WHERE conversation_id = X'41414141414141414141414141414141' AND user_id = 2000000000000000000 AND left_seq IS NOT NULL;
SELECT g.group_id FROM conversation_participants p FORCE INDEX (participants_activity) JOIN `groups` g ON g.conversation_id = p.conversation_id WHERE p.user_id = 2000000000000000000 AND p.left_seq IS NULL AND g.dissolved_at_ms IS NULL;
SELECT m.user_id, m.role, m.muted_until_ms, m.joined_at_ms, u.user_id, u.username, u.display_name, u.avatar_url, u.created_at_ms
  FROM group_members m FORCE INDEX (PRIMARY)
  LEFT JOIN users u ON u.user_id = m.user_id AND u.username IS NOT NULL
 WHERE m.conversation_id = X'41414141414141414141414141414141' AND m.user_id > 2000000000000000000 ORDER BY m.user_id LIMIT 30000;
SELECT m.user_id, m.role, m.muted_until_ms, m.joined_at_ms, u.user_id, u.username, u.display_name, u.avatar_url, u.created_at_ms
  FROM group_members m FORCE INDEX (PRIMARY)
  LEFT JOIN users u ON u.user_id = m.user_id AND u.username IS NOT NULL
 WHERE m.conversation_id = X'41414141414141414141414141414141' AND m.user_id IN (2000000000000000000);
UPDATE conversation_participants SET left_seq = 100, is_large = FALSE, changed_at_ms = GREATEST(changed_at_ms, 2000000000000000000) WHERE conversation_id = X'41414141414141414141414141414141' AND user_id IN (2000000000000000000) AND left_seq IS NULL;

-- gochat_repo/groups.py
INSERT INTO `groups` (group_id, conversation_id, name, avatar_url, announcement, owner_id, muted_all, created_at_ms) VALUES (2000000000000000000, X'41414141414141414141414141414141', '😀AAAAAAA', 'AAAAAAAAAAAAAAAAAAA', 'AAAAAAA', 2000000000000000000, FALSE, 2000000000000000000);
INSERT INTO `groups` (group_id, conversation_id, name, avatar_url, announcement, owner_id, muted_all, created_at_ms) VALUES (2000000000000000000, X'41414141414141414141414141414141', 'AAAAAA', NULL, NULL, 30000, FALSE, 2000000000000000000);
INSERT INTO `groups` (group_id, conversation_id, name, avatar_url, announcement, owner_id, muted_all, created_at_ms) VALUES (2000000000000000000, X'41414141414141414141414141414141', '😀AAAAAAA', 'AAAAAAAAAAAAAAAAAAA', 'AAAAAAA', 1, FALSE, 2000000000000000000);
SELECT g.group_id, g.conversation_id, g.name, g.avatar_url, g.announcement, g.owner_id, g.muted_all, g.created_at_ms,
       g.dissolved_at_ms, c.member_count
  FROM `groups` g JOIN conversations c ON c.conversation_id = g.conversation_id
 WHERE g.group_id = 2000000000000000000;
UPDATE `groups` SET name = CONCAT('😀', REPEAT('A', 99)), avatar_url = NULL, announcement = 'AAAAAAAAAAAA', owner_id = 2000000000000000000, muted_all = FALSE, dissolved_at_ms = 2000000000000000000 WHERE group_id = 2000000000000000000;
UPDATE `groups` SET name = 'AAAAAAAA', avatar_url = NULL, announcement = NULL, owner_id = 2000000000000000000, muted_all = TRUE, dissolved_at_ms = NULL WHERE group_id = 2000000000000000000;

-- gochat_repo/idempotency_keys.py
DELETE FROM idempotency_keys WHERE expires_at_ms <= 2000000000000000000 ORDER BY expires_at_ms LIMIT 30000;
INSERT INTO idempotency_keys (user_id, key_hash, request_hash, seed, attempt, claimed_at_ms, expires_at_ms) VALUES (2000000000000000000, X'4141414141414141414141414141414141414141414141414141414141414141', X'4141414141414141414141414141414141414141414141414141414141414141', X'41414141414141414141414141414141', 1, 2000000000000000000, 2000000000000000000) ON DUPLICATE KEY UPDATE user_id = VALUES(user_id);
SELECT request_hash, seed, attempt, claimed_at_ms, response, refusal, expires_at_ms FROM idempotency_keys WHERE user_id = 2000000000000000000 AND key_hash = X'4141414141414141414141414141414141414141414141414141414141414141';
UPDATE idempotency_keys SET claimed_at_ms = 0 WHERE user_id = 2000000000000000000 AND key_hash = X'4141414141414141414141414141414141414141414141414141414141414141' AND attempt = 100;
UPDATE idempotency_keys SET request_hash = X'4141414141414141414141414141414141414141414141414141414141414141', seed = X'41414141414141414141414141414141', attempt = 100, claimed_at_ms = 2000000000000000000, response = NULL, refusal = NULL, expires_at_ms = 2000000000000000000 WHERE user_id = 2000000000000000000 AND key_hash = X'4141414141414141414141414141414141414141414141414141414141414141';
UPDATE idempotency_keys SET response = CAST(REPEAT('A', 366) AS BINARY), refusal = X'41414141414141414141414141414141414141414141414141414141414141414141414141414141414141414141414141414141414141414141' WHERE user_id = 2000000000000000000 AND key_hash = X'4141414141414141414141414141414141414141414141414141414141414141' AND attempt = 100 AND response IS NULL AND refusal IS NULL;
UPDATE idempotency_keys SET response = X'', refusal = NULL WHERE user_id = 2000000000000000000 AND key_hash = X'4141414141414141414141414141414141414141414141414141414141414141' AND attempt = 100 AND response IS NULL AND refusal IS NULL;
UPDATE idempotency_keys SET response = NULL, refusal = X'41414141414141414141414141414141414141414141414141414141414141414141414141414141414141414141414141414141414141414141' WHERE user_id = 2000000000000000000 AND key_hash = X'4141414141414141414141414141414141414141414141414141414141414141' AND attempt = 100 AND response IS NULL AND refusal IS NULL;

-- gochat_repo/invitations.py
SELECT 1, u.user_id, u.username, u.display_name, u.avatar_url, u.created_at_ms FROM users u
 WHERE u.user_id IN (2000000000000000000) AND u.username IS NOT NULL AND u.deleted_at_ms IS NULL;
SELECT 2, b.blocker_id, NULL, NULL, NULL, NULL FROM blocks b FORCE INDEX (PRIMARY)
 WHERE b.conversation_id IN (X'41414141414141414141414141414141') AND b.blocker_id <> 2000000000000000000;
SELECT 3, f.user_id, NULL, NULL, NULL, NULL FROM friendships f FORCE INDEX (PRIMARY)
 WHERE f.conversation_id IN (X'41414141414141414141414141414141') AND f.user_id <> 2000000000000000000;

-- gochat_repo/list_preferences.py
UPDATE conversation_participants
   SET muted = COALESCE(FALSE, muted), pinned = COALESCE(FALSE, pinned), changed_at_ms = GREATEST(changed_at_ms, 2000000000000000000)
 WHERE conversation_id = X'41414141414141414141414141414141' AND user_id = 2000000000000000000 AND left_seq IS NULL
   AND (muted <> COALESCE(FALSE, muted) OR pinned <> COALESCE(FALSE, pinned));
UPDATE conversation_participants
   SET muted = COALESCE(TRUE, muted), pinned = COALESCE(TRUE, pinned), changed_at_ms = GREATEST(changed_at_ms, 2000000000000000000)
 WHERE conversation_id = X'41414141414141414141414141414141' AND user_id = 2000000000000000000 AND left_seq IS NULL
   AND (muted <> COALESCE(TRUE, muted) OR pinned <> COALESCE(TRUE, pinned));
UPDATE conversation_participants
   SET muted = COALESCE(NULL, muted), pinned = COALESCE(NULL, pinned), changed_at_ms = GREATEST(changed_at_ms, 2000000000000000000)
 WHERE conversation_id = X'41414141414141414141414141414141' AND user_id = 2000000000000000000 AND left_seq IS NULL
   AND (muted <> COALESCE(NULL, muted) OR pinned <> COALESCE(NULL, pinned));
UPDATE conversation_participants SET hidden_seq = NULL, changed_at_ms = GREATEST(changed_at_ms, 2000000000000000000)
 WHERE conversation_id = X'41414141414141414141414141414141' AND user_id = 2000000000000000000 AND left_seq IS NULL AND hidden_seq IS NOT NULL;
UPDATE conversation_participants p JOIN conversations c ON c.conversation_id = p.conversation_id
   SET p.hidden_seq = c.last_seq, p.cleared_seq = c.last_seq,
       p.cleared_at_ms = GREATEST(p.cleared_at_ms, 2000000000000000000), p.changed_at_ms = GREATEST(p.changed_at_ms, 2000000000000000000)
 WHERE p.conversation_id = X'41414141414141414141414141414141' AND p.user_id = 2000000000000000000 AND p.left_seq IS NULL
   AND NOT (p.hidden_seq <=> c.last_seq AND p.cleared_seq = c.last_seq);

-- gochat_repo/login_failures.py
DELETE FROM login_failures WHERE username = 'AAAAAAAAAAAAAAAAAA';
INSERT INTO login_failures (username, failures, window_started_at_ms) VALUES ('AAAAAAAAAAAAAAAAAA', 1, 2000000000000000000)
ON DUPLICATE KEY UPDATE
  failures = IF(window_started_at_ms <= 2000000000000000000, 1, failures + 1),
  window_started_at_ms = IF(window_started_at_ms <= 2000000000000000000, VALUES(window_started_at_ms), window_started_at_ms);
SELECT 1 FROM login_failures WHERE username = 'AAAAAAAAAAAAAAAAAA';
SELECT failures, window_started_at_ms FROM login_failures WHERE username = 'AAAAAAAAAAAAAAAAAA';

-- gochat_repo/member_pages.py
SELECT COUNT(*) FROM conversation_participants WHERE conversation_id = X'41414141414141414141414141414141';
SELECT conversation_id, user_id, join_seq, left_seq FROM conversation_participants FORCE INDEX (PRIMARY) WHERE (conversation_id, user_id) IN ((X'41414141414141414141414141414141', 2000000000));
SELECT user_id
  FROM (SELECT user_id, ROW_NUMBER() OVER (ORDER BY user_id) AS place
          FROM conversation_participants WHERE conversation_id = X'41414141414141414141414141414141') AS numbered
 WHERE place MOD 30000 = 0
 ORDER BY user_id;
SELECT user_id, join_seq, left_seq FROM conversation_participants WHERE conversation_id = X'41414141414141414141414141414141' AND user_id > 2000000000000000000 AND user_id <= 2000000000000000000 ORDER BY user_id;

-- gochat_repo/messages.py
INSERT INTO messages (conversation_id, seq, message_id, sender_id, client_msg_id, content_hash, type, content, reply_to_seq, mentions, created_at_ms, edited_at_ms, recalled_at_ms, last_change, reactions) VALUES (X'41414141414141414141414141414141', 30000, 2000000000000000000, 2000000000000000000, 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', X'41414141414141414141414141414141', 'system', CONCAT('{"a": "', REPEAT('A', 8002), '"}'), 100, '["AAAAAAAAAAAAAAAAAA"]', 2000000000000000000, 2000000000000000000, 2000000000000000000, 100, CONCAT('["😀', REPEAT('A', 107), '"]'));
INSERT INTO messages (conversation_id, seq, message_id, sender_id, client_msg_id, content_hash, type, content, reply_to_seq, mentions, created_at_ms, edited_at_ms, recalled_at_ms, last_change, reactions) VALUES (X'41414141414141414141414141414141', 100, 2000000000000000000, 2000000000, 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', X'41414141414141414141414141414141', 'text', 'AAAAAAAAAAAA', NULL, NULL, 2000000000000000000, NULL, NULL, 1, '😀AAAAAAAAAAAA');
INSERT INTO messages (conversation_id, seq, message_id, sender_id, client_msg_id, content_hash, type, content, reply_to_seq, mentions, created_at_ms, edited_at_ms, recalled_at_ms, last_change, reactions) VALUES (X'41414141414141414141414141414141', 1, 2000000000000000000, 30000, 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', X'41414141414141414141414141414141', 'system', CONCAT('{"a": "', REPEAT('A', 8002), '"}'), 100, '["AAAAAAAAAAAAAAAAAA"]', 2000000000000000000, 2000000000000000000, 2000000000000000000, 0, NULL);
INSERT INTO messages (conversation_id, seq, message_id, sender_id, client_msg_id, content_hash, type, content, reply_to_seq, mentions, created_at_ms, edited_at_ms, recalled_at_ms, last_change, reactions) VALUES (X'41414141414141414141414141414141', 30000, 2000000000000000000, 100, 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', X'41414141414141414141414141414141', 'text', 'AAAAAAAAAAAA', NULL, NULL, 2000000000000000000, NULL, NULL, 100, CONCAT('["😀', REPEAT('A', 107), '"]'));
INSERT INTO messages (conversation_id, seq, message_id, sender_id, client_msg_id, content_hash, type, content, reply_to_seq, mentions, created_at_ms, edited_at_ms, recalled_at_ms, last_change, reactions) VALUES (X'41414141414141414141414141414141', 100, 2000000000000000000, 1, 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', X'41414141414141414141414141414141', 'system', CONCAT('{"a": "', REPEAT('A', 8002), '"}'), 100, '["AAAAAAAAAAAAAAAAAA"]', 2000000000000000000, 2000000000000000000, 2000000000000000000, 1, '😀AAAAAAAAAAAA');
SELECT m.conversation_id, m.seq, m.message_id, m.sender_id, m.client_msg_id, m.content_hash, m.type, m.content, m.reply_to_seq, m.mentions, m.created_at_ms, m.edited_at_ms, m.recalled_at_ms, m.last_change, m.reactions FROM messages m WHERE (m.conversation_id, m.seq) IN ((X'41414141414141414141414141414141', 100)) ORDER BY m.conversation_id, m.seq;
SELECT m.conversation_id, m.seq, m.message_id, m.sender_id, m.client_msg_id, m.content_hash, m.type, m.content, m.reply_to_seq, m.mentions, m.created_at_ms, m.edited_at_ms, m.recalled_at_ms, m.last_change, m.reactions FROM messages m WHERE m.conversation_id = X'41414141414141414141414141414141' AND m.seq < 2000000000000000000 AND m.seq > 100 ORDER BY m.seq DESC LIMIT 30000;
SELECT m.conversation_id, m.seq, m.message_id, m.sender_id, m.client_msg_id, m.content_hash, m.type, m.content, m.reply_to_seq, m.mentions, m.created_at_ms, m.edited_at_ms, m.recalled_at_ms, m.last_change, m.reactions FROM messages m WHERE m.conversation_id = X'41414141414141414141414141414141' AND m.seq > 2000000000000000000 ORDER BY m.seq LIMIT 30000;
UPDATE (SELECT X'41414141414141414141414141414141' AS conversation_id, 100 AS seq, '{"a": "AAAAAAAA"}' AS content, '["😀AAAAAAAAAAA"]' AS reactions, 2000000000000000000 AS edited_at_ms, 2000000000000000000 AS recalled_at_ms, 100 AS last_change UNION ALL SELECT X'41414141414141414141414141414141', 100, '{"a": "AAAAAAAAA"}', '["😀AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]', 2000000000000000000, 2000000000000000000, 100) v
  STRAIGHT_JOIN messages m FORCE INDEX (PRIMARY) ON m.conversation_id = v.conversation_id AND m.seq = v.seq
  LEFT JOIN message_reactions r FORCE INDEX (PRIMARY)
         ON v.recalled_at_ms IS NOT NULL AND r.conversation_id = v.conversation_id AND r.seq = v.seq
   SET m.content = COALESCE(v.content, m.content), m.reactions = v.reactions, m.edited_at_ms = v.edited_at_ms,
       m.mentions = IF(v.recalled_at_ms IS NULL, m.mentions, NULL), m.recalled_at_ms = v.recalled_at_ms,
       m.last_change = v.last_change, r.is_removed = TRUE;
UPDATE (SELECT X'41414141414141414141414141414141' AS conversation_id, 100 AS seq, 'AAAAAAAAAAAA' AS content, '😀AAAAAAAAAAAA' AS reactions, NULL AS edited_at_ms, NULL AS recalled_at_ms, 100 AS last_change UNION ALL SELECT X'41414141414141414141414141414141', 100, 'AA', '😀AAAAAAAAAAAA', NULL, NULL, 100) v
  STRAIGHT_JOIN messages m FORCE INDEX (PRIMARY) ON m.conversation_id = v.conversation_id AND m.seq = v.seq
  LEFT JOIN message_reactions r FORCE INDEX (PRIMARY)
         ON v.recalled_at_ms IS NOT NULL AND r.conversation_id = v.conversation_id AND r.seq = v.seq
   SET m.content = COALESCE(v.content, m.content), m.reactions = v.reactions, m.edited_at_ms = v.edited_at_ms,
       m.mentions = IF(v.recalled_at_ms IS NULL, m.mentions, NULL), m.recalled_at_ms = v.recalled_at_ms,
       m.last_change = v.last_change, r.is_removed = TRUE;
UPDATE (SELECT X'41414141414141414141414141414141' AS conversation_id, 100 AS seq, NULL AS content, NULL AS reactions, 2000000000000000000 AS edited_at_ms, 2000000000000000000 AS recalled_at_ms, 100 AS last_change UNION ALL SELECT X'41414141414141414141414141414141', 100, NULL, NULL, 2000000000000000000, 2000000000000000000, 100) v
  STRAIGHT_JOIN messages m FORCE INDEX (PRIMARY) ON m.conversation_id = v.conversation_id AND m.seq = v.seq
  LEFT JOIN message_reactions r FORCE INDEX (PRIMARY)
         ON v.recalled_at_ms IS NOT NULL AND r.conversation_id = v.conversation_id AND r.seq = v.seq
   SET m.content = COALESCE(v.content, m.content), m.reactions = v.reactions, m.edited_at_ms = v.edited_at_ms,
       m.mentions = IF(v.recalled_at_ms IS NULL, m.mentions, NULL), m.recalled_at_ms = v.recalled_at_ms,
       m.last_change = v.last_change, r.is_removed = TRUE;
UPDATE (SELECT X'41414141414141414141414141414141' AS conversation_id, 30000 AS seq, CONCAT('{"a": "', REPEAT('A', 4004), '"}') AS content, CONCAT('["😀', REPEAT('A', 238), '"]') AS reactions, 2000000000000000000 AS edited_at_ms, 2000000000000000000 AS recalled_at_ms, 30000 AS last_change) v
  STRAIGHT_JOIN messages m FORCE INDEX (PRIMARY) ON m.conversation_id = v.conversation_id AND m.seq = v.seq
  LEFT JOIN message_reactions r FORCE INDEX (PRIMARY)
         ON v.recalled_at_ms IS NOT NULL AND r.conversation_id = v.conversation_id AND r.seq = v.seq
   SET m.content = COALESCE(v.content, m.content), m.reactions = v.reactions, m.edited_at_ms = v.edited_at_ms,
       m.mentions = IF(v.recalled_at_ms IS NULL, m.mentions, NULL), m.recalled_at_ms = v.recalled_at_ms,
       m.last_change = v.last_change, r.is_removed = TRUE;
UPDATE (SELECT X'41414141414141414141414141414141' AS conversation_id, 30000 AS seq, 'AAAAAAAAAAAA' AS content, '😀AAAAAAAAAAAA' AS reactions, NULL AS edited_at_ms, NULL AS recalled_at_ms, 30000 AS last_change) v
  STRAIGHT_JOIN messages m FORCE INDEX (PRIMARY) ON m.conversation_id = v.conversation_id AND m.seq = v.seq
  LEFT JOIN message_reactions r FORCE INDEX (PRIMARY)
         ON v.recalled_at_ms IS NOT NULL AND r.conversation_id = v.conversation_id AND r.seq = v.seq
   SET m.content = COALESCE(v.content, m.content), m.reactions = v.reactions, m.edited_at_ms = v.edited_at_ms,
       m.mentions = IF(v.recalled_at_ms IS NULL, m.mentions, NULL), m.recalled_at_ms = v.recalled_at_ms,
       m.last_change = v.last_change, r.is_removed = TRUE;
UPDATE (SELECT X'41414141414141414141414141414141' AS conversation_id, 30000 AS seq, NULL AS content, NULL AS reactions, 2000000000000000000 AS edited_at_ms, 2000000000000000000 AS recalled_at_ms, 30000 AS last_change) v
  STRAIGHT_JOIN messages m FORCE INDEX (PRIMARY) ON m.conversation_id = v.conversation_id AND m.seq = v.seq
  LEFT JOIN message_reactions r FORCE INDEX (PRIMARY)
         ON v.recalled_at_ms IS NOT NULL AND r.conversation_id = v.conversation_id AND r.seq = v.seq
   SET m.content = COALESCE(v.content, m.content), m.reactions = v.reactions, m.edited_at_ms = v.edited_at_ms,
       m.mentions = IF(v.recalled_at_ms IS NULL, m.mentions, NULL), m.recalled_at_ms = v.recalled_at_ms,
       m.last_change = v.last_change, r.is_removed = TRUE;

-- gochat_repo/outbox.py
DELETE FROM outbox WHERE (conversation_id, kind, number) IN ((X'41414141414141414141414141414141', 'change', 2000000000000000000), (X'41414141414141414141414141414141', 'created', 2000000000000000000), (X'41414141414141414141414141414141', 'entry', 2000000000000000000), (X'41414141414141414141414141414141', 'group', 2000000000000000000), (X'41414141414141414141414141414141', 'message', 2000000000000000000), (X'41414141414141414141414141414141', 'notice', 2000000000000000000)) AND (kind <> 'entry' OR created_at_ms <= 2000000000000000000);
INSERT INTO outbox (conversation_id, kind, number, origin_device_id, payload, created_at_ms) VALUES (X'41414141414141414141414141414141', 'change', 2000000000000000000, 'phone', CONCAT('{"a": "', REPEAT('A', 4190), '"}'), 2000000000000000000) ON DUPLICATE KEY UPDATE origin_device_id = VALUES(origin_device_id), payload = VALUES(payload), created_at_ms = GREATEST(created_at_ms, VALUES(created_at_ms));
INSERT INTO outbox (conversation_id, kind, number, origin_device_id, payload, created_at_ms) VALUES (X'41414141414141414141414141414141', 'created', 2000000000, NULL, CONCAT('["😀', REPEAT('A', 1140), '"]'), 1) ON DUPLICATE KEY UPDATE origin_device_id = VALUES(origin_device_id), payload = VALUES(payload), created_at_ms = GREATEST(created_at_ms, VALUES(created_at_ms));
INSERT INTO outbox (conversation_id, kind, number, origin_device_id, payload, created_at_ms) VALUES (X'41414141414141414141414141414141', 'entry', 30000, 'phone', NULL, 2000000000000000000) ON DUPLICATE KEY UPDATE origin_device_id = VALUES(origin_device_id), payload = VALUES(payload), created_at_ms = GREATEST(created_at_ms, VALUES(created_at_ms));
INSERT INTO outbox (conversation_id, kind, number, origin_device_id, payload, created_at_ms) VALUES (X'41414141414141414141414141414141', 'group', 100, NULL, CONCAT('{"a": "', REPEAT('A', 4190), '"}'), 1) ON DUPLICATE KEY UPDATE origin_device_id = VALUES(origin_device_id), payload = VALUES(payload), created_at_ms = GREATEST(created_at_ms, VALUES(created_at_ms));
INSERT INTO outbox (conversation_id, kind, number, origin_device_id, payload, created_at_ms) VALUES (X'41414141414141414141414141414141', 'message', 1, 'phone', CONCAT('["😀', REPEAT('A', 1140), '"]'), 2000000000000000000) ON DUPLICATE KEY UPDATE origin_device_id = VALUES(origin_device_id), payload = VALUES(payload), created_at_ms = GREATEST(created_at_ms, VALUES(created_at_ms));
INSERT INTO outbox (conversation_id, kind, number, origin_device_id, payload, created_at_ms) VALUES (X'41414141414141414141414141414141', 'notice', 0, NULL, NULL, 1) ON DUPLICATE KEY UPDATE origin_device_id = VALUES(origin_device_id), payload = VALUES(payload), created_at_ms = GREATEST(created_at_ms, VALUES(created_at_ms));
SELECT conversation_id, kind, number, origin_device_id, payload FROM outbox WHERE created_at_ms < 2000000000000000000 ORDER BY created_at_ms LIMIT 100 FOR UPDATE SKIP LOCKED;
UPDATE outbox SET created_at_ms = 2000000000000000000 WHERE (conversation_id, kind, number) IN ((X'41414141414141414141414141414141', 'change', 2000000000000000000), (X'41414141414141414141414141414141', 'created', 2000000000000000000), (X'41414141414141414141414141414141', 'group', 2000000000000000000), (X'41414141414141414141414141414141', 'message', 2000000000000000000), (X'41414141414141414141414141414141', 'notice', 2000000000000000000));

-- gochat_repo/participants.py
SELECT c.conversation_id, NULL, c.members_version, c.last_seq
  FROM conversations c FORCE INDEX (PRIMARY) WHERE c.conversation_id IN (X'41414141414141414141414141414141') AND c.is_large = TRUE;
SELECT c.last_seq, p.join_seq, p.read_seq, p.sent_seq, p.cleared_seq, c.expired_seq FROM conversation_participants p JOIN conversations c ON c.conversation_id = p.conversation_id WHERE p.conversation_id = X'41414141414141414141414141414141' AND p.user_id = 2000000000000000000 AND p.left_seq IS NULL;
SELECT p.conversation_id, p.user_id, p.join_seq, p.left_seq
  FROM conversations c FORCE INDEX (PRIMARY)
  STRAIGHT_JOIN conversation_participants p FORCE INDEX (PRIMARY) ON p.conversation_id = c.conversation_id
 WHERE c.conversation_id IN (X'41414141414141414141414141414141') AND c.is_large = FALSE;

-- gochat_repo/presence.py
SELECT u.user_id, u.last_seen_at_ms, EXISTS (SELECT 1 FROM connections c WHERE c.user_id = u.user_id) FROM users u WHERE u.user_id IN (2000000000000000000);

-- gochat_repo/push_checks.py
SELECT conversation_id, seq FROM messages
 WHERE (conversation_id, seq) IN ((X'41414141414141414141414141414141', 100)) AND recalled_at_ms IS NOT NULL;
SELECT p.conversation_id, p.user_id, GREATEST(p.join_seq - 1, p.cleared_seq, c.expired_seq, p.read_seq, p.sent_seq)
  FROM conversation_participants p
  STRAIGHT_JOIN conversations c ON c.conversation_id = p.conversation_id
 WHERE (p.conversation_id, p.user_id) IN ((X'41414141414141414141414141414141', 100)) AND p.left_seq IS NULL;
SELECT p.user_id, CAST(SUM(IF(c.last_seq > GREATEST(p.join_seq - 1, p.cleared_seq, c.expired_seq, p.read_seq, p.sent_seq), c.last_seq - GREATEST(p.join_seq - 1, p.cleared_seq, c.expired_seq, p.read_seq, p.sent_seq), 0)) AS UNSIGNED)
  FROM conversation_participants p
  STRAIGHT_JOIN conversations c ON c.conversation_id = p.conversation_id
 WHERE p.user_id IN (100) AND p.left_seq IS NULL AND NOT p.muted
 GROUP BY p.user_id;

-- gochat_repo/push_facts.py
SELECT p.conversation_id, p.user_id, c.type, p.join_seq, p.left_seq,
       GREATEST(p.join_seq - 1, p.cleared_seq, c.expired_seq, p.read_seq, p.sent_seq), p.muted,
       b.blocker_id IS NOT NULL, f.quiet_from, f.quiet_until, f.time_zone, f.previews, f.language,
       t.device_id, t.provider, g.name
  FROM conversation_participants p FORCE INDEX (PRIMARY)
  STRAIGHT_JOIN push_tokens t ON t.user_id = p.user_id
  STRAIGHT_JOIN conversations c ON c.conversation_id = p.conversation_id
  LEFT JOIN `groups` g ON g.conversation_id = p.conversation_id
  LEFT JOIN blocks b ON b.conversation_id = p.conversation_id AND b.blocker_id = p.user_id
  LEFT JOIN push_preferences f ON f.user_id = p.user_id
 WHERE (p.conversation_id, p.user_id) IN ((X'41414141414141414141414141414141', 2000000000))
   AND (SELECT 1 FROM sessions s WHERE s.user_id = t.user_id AND s.device_id = t.device_id
           AND s.revoked_at_ms IS NULL AND s.expires_at_ms > 2000000000000000000 LIMIT 1) IS NOT NULL
 ORDER BY p.conversation_id, p.user_id, t.device_id;

-- gochat_repo/push_log.py
DELETE FROM push_log WHERE created_at_ms < 2000000000000000000 ORDER BY created_at_ms LIMIT 100;
DELETE FROM push_log WHERE user_id = 2000000000000000000;
INSERT  INTO push_log (user_id, device_id, conversation_id, seq, task_id, provider, outcome, reason, attempts, created_at_ms, updated_at_ms) VALUES (2000000000000000000, 'AAAAAAAAAA', X'41414141414141414141414141414141', 100, 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'apns', 'deferred', '', 1, 2000000000000000000, 2000000000000000000) ON DUPLICATE KEY UPDATE outcome = VALUES(outcome), reason = VALUES(reason), provider = VALUES(provider), attempts = attempts + 1, updated_at_ms = VALUES(updated_at_ms), record = NULL, retry_at_ms = NULL;
INSERT  INTO push_log (user_id, device_id, conversation_id, seq, task_id, provider, outcome, reason, attempts, created_at_ms, updated_at_ms) VALUES (100, 'AAAAAAAAAA', X'41414141414141414141414141414141', 1, 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'fcm', 'sending', '', 1, 1, 1) ON DUPLICATE KEY UPDATE outcome = VALUES(outcome), reason = VALUES(reason), provider = VALUES(provider), attempts = attempts + 1, updated_at_ms = VALUES(updated_at_ms), record = NULL, retry_at_ms = NULL;
INSERT  INTO push_log (user_id, device_id, conversation_id, seq, task_id, provider, outcome, reason, attempts, created_at_ms, updated_at_ms) VALUES (2000000000000000000, 'AAAAAAAAAA', X'41414141414141414141414141414141', 100, 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'webpush', 'deferred', '', 1, 2000000000000000000, 2000000000000000000) ON DUPLICATE KEY UPDATE outcome = VALUES(outcome), reason = VALUES(reason), provider = VALUES(provider), attempts = attempts + 1, updated_at_ms = VALUES(updated_at_ms), record = NULL, retry_at_ms = NULL;
INSERT  INTO push_log (user_id, device_id, conversation_id, seq, task_id, provider, outcome, reason, attempts, created_at_ms, updated_at_ms) VALUES (100, 'phone', X'41414141414141414141414141414141', 1, 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', '', 'failed', 'no_token', 0, 2000000000000000000, 2000000000000000000) ON DUPLICATE KEY UPDATE outcome = VALUES(outcome), reason = VALUES(reason), updated_at_ms = VALUES(updated_at_ms), record = NULL, retry_at_ms = NULL;
INSERT  INTO push_log (user_id, device_id, conversation_id, seq, task_id, provider, outcome, reason, attempts, created_at_ms, updated_at_ms) VALUES (100, 'phone', X'41414141414141414141414141414141', 1, 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', '', 'suppressed', 'outcome_unknown', 0, 2000000000000000000, 2000000000000000000) ON DUPLICATE KEY UPDATE outcome = VALUES(outcome), reason = VALUES(reason), updated_at_ms = VALUES(updated_at_ms), record = NULL, retry_at_ms = NULL;
INSERT  INTO push_log (user_id, device_id, conversation_id, seq, task_id, provider, outcome, reason, attempts, created_at_ms, updated_at_ms) VALUES (100, 'phone', X'41414141414141414141414141414141', 1, 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', '', 'failed', 'read', 0, 2000000000000000000, 2000000000000000000) ON DUPLICATE KEY UPDATE outcome = VALUES(outcome), reason = VALUES(reason), updated_at_ms = VALUES(updated_at_ms), record = NULL, retry_at_ms = NULL;
INSERT  INTO push_log (user_id, device_id, conversation_id, seq, task_id, provider, outcome, reason, attempts, created_at_ms, updated_at_ms) VALUES (100, 'phone', X'41414141414141414141414141414141', 1, 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', '', 'suppressed', 'recalled', 0, 2000000000000000000, 2000000000000000000) ON DUPLICATE KEY UPDATE outcome = VALUES(outcome), reason = VALUES(reason), updated_at_ms = VALUES(updated_at_ms), record = NULL, retry_at_ms = NULL;
INSERT IGNORE INTO push_log (user_id, device_id, conversation_id, seq, task_id, provider, outcome, reason, attempts, created_at_ms, updated_at_ms) VALUES (100, 'phone', X'41414141414141414141414141414141', 1, 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'fcm', 'suppressed', 'muted', 0, 2000000000000000000, 2000000000000000000);
SELECT user_id, device_id, conversation_id, seq, outcome, reason, attempts FROM push_log WHERE (user_id = 100 AND device_id = 'AAAAAAAAAA' AND conversation_id = X'41414141414141414141414141414141' AND seq >= 100) ORDER BY user_id, device_id, conversation_id, seq FOR UPDATE;
SELECT user_id, device_id, conversation_id, seq, record FROM push_log WHERE retry_at_ms <= 2000000000000000000 ORDER BY retry_at_ms LIMIT 30000 FOR UPDATE SKIP LOCKED;
UPDATE (SELECT 100 AS user_id, 'AAAAAAAAAA' AS device_id, X'41414141414141414141414141414141' AS conversation_id, 100 AS seq, 'deferred' AS outcome, 'AAAAAAAAAAAAA' AS reason, CONCAT('{"a": "', REPEAT('A', 242), '"}') AS record, 2000000000000000000 AS retry_at_ms UNION ALL SELECT 100, 'AAAAAAAAAA', X'41414141414141414141414141414141', 100, 'deferred', 'AAAAAAAAAAAAA', CONCAT('{"a": "', REPEAT('A', 259), '"}'), 2000000000000000000) v
  STRAIGHT_JOIN push_log l ON l.user_id = v.user_id
    AND l.device_id = CONVERT(v.device_id USING ascii) COLLATE ascii_bin
    AND l.conversation_id = v.conversation_id AND l.seq = v.seq AND l.outcome = 'sending'
  SET l.outcome = v.outcome, l.reason = v.reason, l.record = v.record, l.retry_at_ms = v.retry_at_ms,
      l.updated_at_ms = 2000000000000000000;
UPDATE (SELECT 100 AS user_id, 'AAAAAAAAAA' AS device_id, X'41414141414141414141414141414141' AS conversation_id, 100 AS seq, 'failed' AS outcome, '' AS reason, NULL AS record, NULL AS retry_at_ms UNION ALL SELECT 100, 'AAAAAAAAAA', X'41414141414141414141414141414141', 100, 'sent', '', NULL, NULL) v
  STRAIGHT_JOIN push_log l ON l.user_id = v.user_id
    AND l.device_id = CONVERT(v.device_id USING ascii) COLLATE ascii_bin
    AND l.conversation_id = v.conversation_id AND l.seq = v.seq AND l.outcome = 'sending'
  SET l.outcome = v.outcome, l.reason = v.reason, l.record = v.record, l.retry_at_ms = v.retry_at_ms,
      l.updated_at_ms = 2000000000000000000;
UPDATE (SELECT 100 AS user_id, 'AAAAAAAAAA' AS device_id, X'41414141414141414141414141414141' AS conversation_id, 100 AS seq, 'sent' AS outcome, 'AAAAAAAAAAAAA' AS reason, CONCAT('{"a": "', REPEAT('A', 242), '"}') AS record, 2000000000000000000 AS retry_at_ms UNION ALL SELECT 100, 'AAAAAAAAAA', X'41414141414141414141414141414141', 100, 'deferred', 'AAAAAAAAAAAAA', CONCAT('{"a": "', REPEAT('A', 259), '"}'), 2000000000000000000) v
  STRAIGHT_JOIN push_log l ON l.user_id = v.user_id
    AND l.device_id = CONVERT(v.device_id USING ascii) COLLATE ascii_bin
    AND l.conversation_id = v.conversation_id AND l.seq = v.seq AND l.outcome = 'sending'
  SET l.outcome = v.outcome, l.reason = v.reason, l.record = v.record, l.retry_at_ms = v.retry_at_ms,
      l.updated_at_ms = 2000000000000000000;
UPDATE (SELECT 100 AS user_id, 'AAAAAAAA' AS device_id, X'41414141414141414141414141414141' AS conversation_id, 1 AS seq, 'deferred' AS outcome, 'AAAAAAAAAAAAAAAAA' AS reason, CONCAT('{"a": "', REPEAT('A', 237), '"}') AS record, 2000000000000000000 AS retry_at_ms) v
  STRAIGHT_JOIN push_log l ON l.user_id = v.user_id
    AND l.device_id = CONVERT(v.device_id USING ascii) COLLATE ascii_bin
    AND l.conversation_id = v.conversation_id AND l.seq = v.seq AND l.outcome = 'sending'
  SET l.outcome = v.outcome, l.reason = v.reason, l.record = v.record, l.retry_at_ms = v.retry_at_ms,
      l.updated_at_ms = 2000000000000000000;
UPDATE (SELECT 100 AS user_id, 'AAAAAAAA' AS device_id, X'41414141414141414141414141414141' AS conversation_id, 1 AS seq, 'failed' AS outcome, '' AS reason, NULL AS record, NULL AS retry_at_ms) v
  STRAIGHT_JOIN push_log l ON l.user_id = v.user_id
    AND l.device_id = CONVERT(v.device_id USING ascii) COLLATE ascii_bin
    AND l.conversation_id = v.conversation_id AND l.seq = v.seq AND l.outcome = 'sending'
  SET l.outcome = v.outcome, l.reason = v.reason, l.record = v.record, l.retry_at_ms = v.retry_at_ms,
      l.updated_at_ms = 2000000000000000000;
UPDATE (SELECT 100 AS user_id, 'AAAAAAAA' AS device_id, X'41414141414141414141414141414141' AS conversation_id, 1 AS seq, 'sent' AS outcome, 'AAAAAAAAAAAAAAAAA' AS reason, CONCAT('{"a": "', REPEAT('A', 237), '"}') AS record, 2000000000000000000 AS retry_at_ms) v
  STRAIGHT_JOIN push_log l ON l.user_id = v.user_id
    AND l.device_id = CONVERT(v.device_id USING ascii) COLLATE ascii_bin
    AND l.conversation_id = v.conversation_id AND l.seq = v.seq AND l.outcome = 'sending'
  SET l.outcome = v.outcome, l.reason = v.reason, l.record = v.record, l.retry_at_ms = v.retry_at_ms,
      l.updated_at_ms = 2000000000000000000;
UPDATE (SELECT 100 AS user_id, 'AAAAAAAA' AS device_id, X'41414141414141414141414141414141' AS conversation_id, 1 AS seq, 'suppressed' AS outcome, '' AS reason, NULL AS record, NULL AS retry_at_ms) v
  STRAIGHT_JOIN push_log l ON l.user_id = v.user_id
    AND l.device_id = CONVERT(v.device_id USING ascii) COLLATE ascii_bin
    AND l.conversation_id = v.conversation_id AND l.seq = v.seq AND l.outcome = 'sending'
  SET l.outcome = v.outcome, l.reason = v.reason, l.record = v.record, l.retry_at_ms = v.retry_at_ms,
      l.updated_at_ms = 2000000000000000000;
UPDATE push_log SET retry_at_ms = 2000000000000000000 WHERE (user_id, device_id, conversation_id, seq) IN ((100, 'phone', X'41414141414141414141414141414141', 1));

-- gochat_repo/push_preferences.py
DELETE FROM push_preferences WHERE user_id = 2000000000000000000;
INSERT INTO push_preferences (user_id, quiet_from, quiet_until, time_zone, previews, language, updated_at_ms) VALUES (2000000000000000000, 30000, 30000, 'AAAAAAAAAAAAA', FALSE, 'en', 2000000000000000000) ON DUPLICATE KEY UPDATE quiet_from = VALUES(quiet_from), quiet_until = VALUES(quiet_until), time_zone = VALUES(time_zone), previews = VALUES(previews), language = VALUES(language), updated_at_ms = VALUES(updated_at_ms);
INSERT INTO push_preferences (user_id, quiet_from, quiet_until, time_zone, previews, language, updated_at_ms) VALUES (2000000000000000000, NULL, NULL, 'AAAAAAAAAAAAA', TRUE, 'zh', 2000000000000000000) ON DUPLICATE KEY UPDATE quiet_from = VALUES(quiet_from), quiet_until = VALUES(quiet_until), time_zone = VALUES(time_zone), previews = VALUES(previews), language = VALUES(language), updated_at_ms = VALUES(updated_at_ms);
SELECT user_id, quiet_from, quiet_until, time_zone, previews, language FROM push_preferences WHERE user_id IN (2000000000000000000);

-- gochat_repo/push_tokens.py
DELETE FROM push_tokens WHERE (user_id, device_id, updated_at_ms) IN ((100, 'browser', 100), (100, 'none', 100), (100, 'phone', 100));
DELETE FROM push_tokens WHERE token_hash = X'4141414141414141414141414141414141414141414141414141414141414141' AND NOT (user_id = 2000000000000000000 AND device_id = 'AAAAAAAAAA');
DELETE FROM push_tokens WHERE user_id = 2000000000000000000 AND device_id = 'phone';
DELETE t FROM push_tokens t
 WHERE t.user_id = 2000000000000000000
   AND NOT EXISTS (SELECT 1 FROM sessions s
                    WHERE s.user_id = t.user_id AND s.device_id = t.device_id AND s.revoked_at_ms IS NULL);
INSERT INTO push_tokens (user_id, device_id, provider, token, token_hash, updated_at_ms) VALUES (2000000000000000000, 'AAAAAAAAAA', 'apns', CONCAT('{"a": "', REPEAT('A', 236), '"}'), X'4141414141414141414141414141414141414141414141414141414141414141', 2000000000000000000)
ON DUPLICATE KEY UPDATE user_id = VALUES(user_id), device_id = VALUES(device_id), provider = VALUES(provider),
  token = VALUES(token), token_hash = VALUES(token_hash), updated_at_ms = VALUES(updated_at_ms);
INSERT INTO push_tokens (user_id, device_id, provider, token, token_hash, updated_at_ms) VALUES (100, 'AAAAAAAAAA', 'fcm', 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', X'4141414141414141414141414141414141414141414141414141414141414141', 100)
ON DUPLICATE KEY UPDATE user_id = VALUES(user_id), device_id = VALUES(device_id), provider = VALUES(provider),
  token = VALUES(token), token_hash = VALUES(token_hash), updated_at_ms = VALUES(updated_at_ms);
INSERT INTO push_tokens (user_id, device_id, provider, token, token_hash, updated_at_ms) VALUES (2000000000000000000, 'AAAAAAAAAA', 'webpush', CONCAT('{"a": "', REPEAT('A', 236), '"}'), X'4141414141414141414141414141414141414141414141414141414141414141', 2000000000000000000)
ON DUPLICATE KEY UPDATE user_id = VALUES(user_id), device_id = VALUES(device_id), provider = VALUES(provider),
  token = VALUES(token), token_hash = VALUES(token_hash), updated_at_ms = VALUES(updated_at_ms);
SELECT session_id FROM sessions
 WHERE user_id = 2000000000000000000 AND device_id = 'phone' AND revoked_at_ms IS NULL AND expires_at_ms > 2000000000000000000
 LIMIT 1 FOR UPDATE;
SELECT session_id FROM sessions
 WHERE user_id = 2000000000000000000 AND device_id = 'tablet' AND revoked_at_ms IS NULL AND expires_at_ms > 2000000000000000000
 LIMIT 1 FOR UPDATE;
SELECT t.user_id, t.device_id, t.provider, t.token, t.updated_at_ms FROM push_tokens t WHERE t.user_id IN (2000000000000000000) AND EXISTS (SELECT 1 FROM sessions s WHERE s.user_id = t.user_id AND s.device_id = t.device_id AND s.revoked_at_ms IS NULL AND s.expires_at_ms > 2000000000000000000) ORDER BY t.user_id, t.device_id;

-- gochat_repo/reactions.py
INSERT INTO message_reactions (conversation_id, seq, emoji, user_id, reacted_change, is_removed) VALUES (X'41414141414141414141414141414141', 100, '😀A', 30000, 100, FALSE) ON DUPLICATE KEY UPDATE reacted_change = VALUES(reacted_change), is_removed = VALUES(is_removed);
INSERT INTO message_reactions (conversation_id, seq, emoji, user_id, reacted_change, is_removed) VALUES (X'41414141414141414141414141414141', 1, '😀A', 100, 1, TRUE) ON DUPLICATE KEY UPDATE reacted_change = VALUES(reacted_change), is_removed = VALUES(is_removed);
INSERT INTO message_reactions (conversation_id, seq, emoji, user_id, reacted_change, is_removed) VALUES (X'41414141414141414141414141414141', 100, '😀A', 1, 100, FALSE) ON DUPLICATE KEY UPDATE reacted_change = VALUES(reacted_change), is_removed = VALUES(is_removed);
SELECT conversation_id, seq, emoji, user_id FROM (
  SELECT conversation_id, seq, emoji, user_id, reacted_change,
         ROW_NUMBER() OVER (PARTITION BY conversation_id, seq, emoji ORDER BY reacted_change) AS place
    FROM message_reactions WHERE (conversation_id, seq, emoji) IN ((X'41414141414141414141414141414141', 1, '😀')) AND NOT is_removed
) ranked WHERE place <= 100 ORDER BY conversation_id, seq, emoji, place;
SELECT conversation_id, seq, emoji, user_id FROM message_reactions WHERE NOT is_removed AND (conversation_id, seq, emoji, user_id) IN ((X'41414141414141414141414141414141', 100, '😀', 2000000000000000000));

-- gochat_repo/retention.py
DELETE FROM message_reactions WHERE conversation_id = X'41414141414141414141414141414141' AND seq > 100 AND seq <= 100;
SELECT c.conversation_id, m.created_at_ms FROM (SELECT conversation_id, expired_seq, last_seq FROM conversations WHERE conversation_id > X'41414141414141414141414141414141' ORDER BY conversation_id LIMIT 30000) c LEFT JOIN messages m ON m.conversation_id = c.conversation_id AND m.seq = c.expired_seq + 1 ORDER BY c.conversation_id;
SELECT c.conversation_id, m.created_at_ms FROM (SELECT conversation_id, expired_seq, last_seq FROM conversations WHERE conversation_id > X'' ORDER BY conversation_id LIMIT 30000) c LEFT JOIN messages m ON m.conversation_id = c.conversation_id AND m.seq = c.expired_seq + 1 ORDER BY c.conversation_id;
SELECT expired_seq, is_large FROM conversations WHERE conversation_id = X'41414141414141414141414141414141' FOR UPDATE;
SELECT seq, created_at_ms FROM messages WHERE conversation_id = X'41414141414141414141414141414141' AND seq > 100 ORDER BY seq LIMIT 30000;
UPDATE conversation_participants SET changed_at_ms = GREATEST(changed_at_ms, 2000000000000000000) WHERE conversation_id = X'41414141414141414141414141414141' AND left_seq IS NULL;
UPDATE conversations SET expired_seq = 100 WHERE conversation_id = X'41414141414141414141414141414141';
UPDATE conversations SET updated_at_ms = GREATEST(updated_at_ms, 2000000000000000000) WHERE conversation_id = X'41414141414141414141414141414141';
UPDATE messages SET content = '{}', mentions = NULL, reactions = NULL WHERE conversation_id = X'41414141414141414141414141414141' AND seq > 100 AND seq <= 100;

-- gochat_repo/sessions.py
INSERT INTO sessions (session_id, user_id, device_id, platform, salt, generation, rotated_at_ms, created_at_ms, last_used_at_ms, expires_at_ms) VALUES (2000000000000000000, 2000000000000000000, 'AAAAAAAAAA', 'ios', X'41414141414141414141414141414141', 1, 2000000000000000000, 2000000000000000000, 2000000000000000000, 2000000000000000000);
INSERT INTO sessions (session_id, user_id, device_id, platform, salt, generation, rotated_at_ms, created_at_ms, last_used_at_ms, expires_at_ms) VALUES (30000, 100, 'AAAAAAAAAA', 'ios', X'41414141414141414141414141414141', 1, 1, 1, 1, 2000000000000000000);
SELECT session_id FROM sessions WHERE user_id = 2000000000000000000 AND revoked_at_ms IS NULL;
SELECT session_id FROM sessions WHERE user_id = 2000000000000000000 AND revoked_at_ms IS NULL AND device_id = 'laptop';
SELECT session_id FROM sessions WHERE user_id = 2000000000000000000 AND revoked_at_ms IS NULL AND device_id = 'phone';
SELECT session_id FROM sessions WHERE user_id = 2000000000000000000 AND revoked_at_ms IS NULL AND device_id = 'tablet';
SELECT session_id FROM sessions WHERE user_id = 2000000000000000000 AND revoked_at_ms IS NULL AND device_id = 'web';
SELECT session_id, user_id, device_id, platform, salt, generation, rotated_at_ms, rotation_key_hash, created_at_ms, last_used_at_ms, expires_at_ms, revoked_at_ms FROM sessions WHERE session_id = 2000000000000000000;
SELECT session_id, user_id, device_id, platform, salt, generation, rotated_at_ms, rotation_key_hash, created_at_ms, last_used_at_ms, expires_at_ms, revoked_at_ms FROM sessions WHERE session_id = 2000000000000000000 FOR UPDATE;
SELECT session_id, user_id, device_id, platform, salt, generation, rotated_at_ms, rotation_key_hash, created_at_ms, last_used_at_ms, expires_at_ms, revoked_at_ms FROM sessions WHERE user_id = 2000000000000000000 AND revoked_at_ms IS NULL AND expires_at_ms > 2000000000000000000 ORDER BY last_used_at_ms DESC, session_id DESC;
UPDATE sessions SET generation = 100, rotated_at_ms = 2000000000000000000, rotation_key_hash = X'4141414141414141414141414141414141414141414141414141414141414141', last_used_at_ms = 2000000000000000000, expires_at_ms = 2000000000000000000 WHERE session_id = 2000000000000000000;
UPDATE sessions SET generation = 100, rotated_at_ms = 2000000000000000000, rotation_key_hash = NULL, last_used_at_ms = 2000000000000000000, expires_at_ms = 2000000000000000000 WHERE session_id = 2000000000000000000;
UPDATE sessions SET revoked_at_ms = 2000000000000000000 WHERE session_id IN (2000000000000000000) AND revoked_at_ms IS NULL;

-- gochat_repo/sweep_positions.py
INSERT INTO sweep_positions (sweep, position, round_began_at_ms) VALUES ('retention', X'41414141414141414141414141414141414141414141414141414141414141414141414141414141414141414141414141414141414141414141414141414141', 2000000000000000000) ON DUPLICATE KEY UPDATE position = VALUES(position), round_began_at_ms = VALUES(round_began_at_ms);
SELECT position, round_began_at_ms FROM sweep_positions WHERE sweep = 'retention';

-- gochat_repo/sync.py
(SELECT 1, m.conversation_id, m.seq, m.last_change, LENGTH(m.content) + IFNULL(LENGTH(m.mentions), 0) + IFNULL(LENGTH(m.reactions), 0) FROM messages m WHERE m.conversation_id = X'41414141414141414141414141414141' AND m.seq > 2000000000 AND m.seq <= 2000000000);
(SELECT 2, m.conversation_id, m.seq, m.last_change, LENGTH(m.content) + IFNULL(LENGTH(m.mentions), 0) + IFNULL(LENGTH(m.reactions), 0) FROM messages m FORCE INDEX (messages_change) WHERE m.conversation_id = X'41414141414141414141414141414141' AND m.last_change > 30000 AND m.seq > 0 AND m.seq <= 30000 ORDER BY m.last_change LIMIT 30000);
(SELECT 3, m.conversation_id, m.seq, m.last_change, LENGTH(m.content) + IFNULL(LENGTH(m.mentions), 0) + IFNULL(LENGTH(m.reactions), 0) FROM messages m WHERE (m.conversation_id, m.seq) IN ((X'41414141414141414141414141414141', 2000000000)));
(SELECT m.conversation_id, m.seq, m.message_id, m.sender_id, m.client_msg_id, m.content_hash, m.type, m.content, m.reply_to_seq, m.mentions, m.created_at_ms, m.edited_at_ms, m.recalled_at_ms, m.last_change, m.reactions FROM messages m WHERE  (m.conversation_id, m.seq) IN ((X'41414141414141414141414141414141', 2000000000)));
(SELECT m.conversation_id, m.seq, m.message_id, m.sender_id, m.client_msg_id, m.content_hash, m.type, m.content, m.reply_to_seq, m.mentions, m.created_at_ms, m.edited_at_ms, m.recalled_at_ms, m.last_change, m.reactions FROM messages m WHERE  m.conversation_id = X'41414141414141414141414141414141' AND m.seq > 2000000000 AND m.seq <= 2000000000);
SELECT p.conversation_id, c.type, c.member_count, c.last_change,
       IF(p.is_large, c.activity_at_ms, p.activity_at_ms), c.last_seq, p.join_seq, p.read_seq, p.sent_seq,
       p.cleared_seq, c.expired_seq, p.hidden_seq IS NOT NULL AND c.last_seq <= p.hidden_seq, p.muted, p.pinned,
       q.delivered_seq, q.read_seq, u.user_id, u.username, u.display_name, u.created_at_ms, u.avatar_url, g.name,
       g.group_id, p.left_seq IS NOT NULL, p.cleared_at_ms, k.active_at_ms
  FROM (
    (SELECT conversation_id, activity_at_ms AS active_at_ms
       FROM conversation_participants FORCE INDEX (participants_activity)
      WHERE user_id = 2000000000000000000 AND activity_at_ms <= 2000000000000000000 AND (activity_at_ms < 2000000000000000000 OR conversation_id < X'41414141414141414141414141414141')
        AND is_large = FALSE
      ORDER BY activity_at_ms DESC, conversation_id DESC LIMIT 100)
    UNION ALL
    (SELECT p.conversation_id, c.activity_at_ms AS active_at_ms
       FROM conversation_participants p FORCE INDEX (participants_large)
       STRAIGHT_JOIN conversations c ON c.conversation_id = p.conversation_id
      WHERE p.user_id = 2000000000000000000 AND c.activity_at_ms <= 2000000000000000000 AND (c.activity_at_ms < 2000000000000000000 OR p.conversation_id < X'41414141414141414141414141414141')
        AND p.is_large = TRUE
      ORDER BY c.activity_at_ms DESC, p.conversation_id DESC LIMIT 100)
    ORDER BY active_at_ms DESC, conversation_id DESC LIMIT 100
  ) k
  STRAIGHT_JOIN conversation_participants p ON p.conversation_id = k.conversation_id AND p.user_id = 2000000000000000000
  STRAIGHT_JOIN conversations c ON c.conversation_id = p.conversation_id
  LEFT JOIN conversation_participants q
         ON c.type = 'single' AND q.conversation_id = p.conversation_id AND q.user_id <> p.user_id
  LEFT JOIN users u ON u.user_id = q.user_id
  LEFT JOIN `groups` g FORCE INDEX (groups_conversation)
         ON c.type = 'group' AND g.conversation_id = p.conversation_id
 ORDER BY k.active_at_ms DESC, p.conversation_id DESC;
SELECT p.conversation_id, c.type, c.member_count, c.last_change,
       IF(p.is_large, c.activity_at_ms, p.activity_at_ms), c.last_seq, p.join_seq, p.read_seq, p.sent_seq,
       p.cleared_seq, c.expired_seq, p.hidden_seq IS NOT NULL AND c.last_seq <= p.hidden_seq, p.muted, p.pinned,
       q.delivered_seq, q.read_seq, u.user_id, u.username, u.display_name, u.created_at_ms, u.avatar_url, g.name,
       g.group_id, p.left_seq IS NOT NULL, p.cleared_at_ms, k.moved_at_ms
  FROM (
    (SELECT conversation_id, activity_at_ms AS moved_at_ms
       FROM conversation_participants FORCE INDEX (participants_activity)
      WHERE user_id = 2000000000000000000 AND activity_at_ms >= 2000000000000000000 AND (activity_at_ms > 2000000000000000000 OR conversation_id > X'41414141414141414141414141414141')
        AND activity_at_ms >= changed_at_ms AND is_large = FALSE
      ORDER BY activity_at_ms, conversation_id LIMIT 100)
    UNION ALL
    (SELECT conversation_id, changed_at_ms AS moved_at_ms
       FROM conversation_participants FORCE INDEX (participants_changed)
      WHERE user_id = 2000000000000000000 AND changed_at_ms >= 2000000000000000000 AND (changed_at_ms > 2000000000000000000 OR conversation_id > X'41414141414141414141414141414141')
        AND changed_at_ms > activity_at_ms AND is_large = FALSE
      ORDER BY changed_at_ms, conversation_id LIMIT 100)
    UNION ALL
    (SELECT conversation_id, moved_at_ms
       FROM (
         SELECT p.conversation_id, GREATEST(c.updated_at_ms, p.activity_at_ms, p.changed_at_ms) AS moved_at_ms
           FROM conversation_participants p FORCE INDEX (participants_large)
           STRAIGHT_JOIN conversations c ON c.conversation_id = p.conversation_id
          WHERE p.user_id = 2000000000000000000 AND p.is_large = TRUE
       ) l
      WHERE moved_at_ms >= 2000000000000000000 AND (moved_at_ms > 2000000000000000000 OR conversation_id > X'41414141414141414141414141414141')
      ORDER BY moved_at_ms, conversation_id LIMIT 100)
    ORDER BY moved_at_ms, conversation_id LIMIT 100
  ) k
  STRAIGHT_JOIN conversation_participants p ON p.conversation_id = k.conversation_id AND p.user_id = 2000000000000000000
  STRAIGHT_JOIN conversations c ON c.conversation_id = p.conversation_id
  LEFT JOIN conversation_participants q
         ON c.type = 'single' AND q.conversation_id = p.conversation_id AND q.user_id <> p.user_id
  LEFT JOIN users u ON u.user_id = q.user_id
  LEFT JOIN `groups` g FORCE INDEX (groups_conversation)
         ON c.type = 'group' AND g.conversation_id = p.conversation_id
 ORDER BY k.moved_at_ms, p.conversation_id;
WITH RECURSIVE search (conversation_id, low, high, stop) AS (
  SELECT CAST(X'41414141414141414141414141414141' AS BINARY(16)), CAST(100 AS UNSIGNED), CAST(2000000000 AS UNSIGNED), CAST(2000000000 AS UNSIGNED)
  UNION ALL
  SELECT s.conversation_id, IF(m.created_at_ms > 2000000000000000000, s.low, m.seq + 1), IF(m.created_at_ms > 2000000000000000000, m.seq, s.high), s.stop
    FROM search s STRAIGHT_JOIN messages m ON m.conversation_id = s.conversation_id AND m.seq = (s.low + s.high) DIV 2
   WHERE s.low < s.high
), younger (conversation_id, seq, stop) AS (
  SELECT conversation_id, low, LEAST(stop, low + 100) FROM search WHERE low >= high AND low < stop
  UNION ALL
  SELECT conversation_id, seq + 1, stop FROM younger WHERE seq + 1 < stop
)
(SELECT 1, m.conversation_id, m.seq, m.last_change, LENGTH(m.content) + IFNULL(LENGTH(m.mentions), 0) + IFNULL(LENGTH(m.reactions), 0) FROM younger y
   STRAIGHT_JOIN messages m ON m.conversation_id = y.conversation_id AND m.seq = y.seq);

-- gochat_repo/tickets.py
DELETE FROM used_tickets WHERE expires_at_ms < 2000000000000000000 LIMIT 100;
INSERT INTO used_tickets (ticket_id, expires_at_ms) VALUES ('AAAAAAAAAAAAAAAAAAAAAAAAA', 2000000000000000000) ON DUPLICATE KEY UPDATE ticket_id = VALUES(ticket_id);

-- gochat_repo/users.py
INSERT INTO users (user_id, username, password_hash, display_name, created_at_ms) VALUES (2000000000000000000, 'AAAAAAAAAAAAAAAAAAAA', CONCAT('', REPEAT('A', 97)), 'AAAAAAAAAAAAAAAAAAAA', 2000000000000000000);
INSERT INTO users (user_id, username, password_hash, display_name, created_at_ms) VALUES (2000000000000000000, 'AAAAAAAAAAAAAAAAAAAA', CONCAT('', REPEAT('A', 97)), '😀AAAAAA', 2000000000000000000);
SELECT password_hash FROM users WHERE user_id = 2000000000000000000 FOR UPDATE;
SELECT user_id, username, display_name, avatar_url, created_at_ms FROM users WHERE user_id IN (2000000000000000000) AND username IS NOT NULL;
SELECT user_id, username, display_name, avatar_url, created_at_ms FROM users WHERE username >= 'AAAAAAAAAAAAAAAAAA' AND username < 'AAAAAAAAAAAAAAAAAAA' AND username > 'AAAAAAAAAAAAAAAAAAAA' ORDER BY username LIMIT 100;
SELECT user_id, username, display_name, avatar_url, created_at_ms FROM users WHERE username >= 'AAAAAAAAAAAAAAAAAA' AND username < 'AAAAAAAAAAAAAAAAAAA' AND username > '' ORDER BY username LIMIT 100;
SELECT user_id, username, display_name, avatar_url, created_at_ms, password_hash, last_login_at_ms FROM users WHERE user_id = 2000000000000000000 AND username IS NOT NULL;
SELECT user_id, username, display_name, avatar_url, created_at_ms, password_hash, last_login_at_ms FROM users WHERE username = 'AAAAAAAAAAAAAAAAAAA';
UPDATE users SET avatar_url = NULLIF('AAAAAAAAAAAAAAAAAAAAAAAAA', '') WHERE user_id = 2000000000000000000 AND username IS NOT NULL;
UPDATE users SET avatar_url = NULLIF('', '') WHERE user_id = 2000000000000000000 AND username IS NOT NULL;
UPDATE users SET display_name = 'AAAAAAAAAAAAAAAA' WHERE user_id = 2000000000000000000 AND username IS NOT NULL;
UPDATE users SET display_name = '😀AAAAAA' WHERE user_id = 2000000000000000000 AND username IS NOT NULL;
UPDATE users SET last_login_at_ms = 2000000000000000000 WHERE user_id = 2000000000000000000;
UPDATE users SET password_hash = CONCAT('', REPEAT('A', 97)) WHERE user_id = 2000000000000000000 AND username IS NOT NULL;
UPDATE users SET username = NULL, password_hash = NULL, display_name = '', avatar_url = NULL, deleted_at_ms = 2000000000000000000 WHERE user_id = 2000000000000000000 AND username IS NOT NULL;
