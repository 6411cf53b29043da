-- Large groups: a message no longer touches a row for each member. Only adds: the code of 0007 runs on this schema.

-- is_large: the group has, or once had, so many members. Its participants' rows say the same as long as they belong to it;
-- who has left has rows like those of small conversations.
-- activity_at_ms: when its last message was stored, which for large groups stands here and not in members' rows.
ALTER TABLE conversations
  ADD COLUMN is_large BOOLEAN NOT NULL DEFAULT FALSE,
  ADD COLUMN activity_at_ms BIGINT UNSIGNED NOT NULL DEFAULT 0;

-- Who has been in a role longest is found without reading the others.
ALTER TABLE group_members
  ADD KEY group_members_seniority (conversation_id, role, joined_at_ms, user_id);
