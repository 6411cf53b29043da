/** One message and what became of it: the state that was told last, and the changes told since, in the order of `change`. */

/**
 * A message as the contract has it (docs/api/asyncapi.yaml), or null while only changes of it are known.
 * @typedef {{message_id: string, conversation_id: string, seq: number, sender_id: string, client_msg_id: string, type: string,
 *   content: any, reply_to_seq: number | null, mentions: string[], created_at: string, edited_at: string | null,
 *   recalled: boolean, reactions: Reaction[], change: number}} Message
 * @typedef {{emoji: string, count: number, mine: boolean, user_ids: string[]}} Reaction
 * @typedef {{event: string, data: any}} Mutation
 * @typedef {{told: Message | null, later: Mutation[]}} Entry
 */

/** @returns {Entry} */
export const unknownMessage = () => ({ told: null, later: [] });

/**
 * Takes a message as it was told; an older state than the one that is known says nothing new.
 * @param {Entry} entry @param {Message} message @returns {boolean} whether anything changed
 */
export function tell(entry, message) {
  if (entry.told && entry.told.change >= message.change) return false;
  entry.told = message;
  entry.later = entry.later.filter(({ data }) => data.change > message.change);
  return true;
}

/**
 * Takes a change, in whatever order changes come and however often.
 * @param {Entry} entry @param {Mutation} mutation @returns {boolean} whether it was news
 */
export function mutate(entry, mutation) {
  const { change } = mutation.data;
  if (entry.told && entry.told.change >= change) return false;
  if (entry.later.some(({ data }) => data.change === change)) return false;
  entry.later = [...entry.later, mutation].sort((a, b) => a.data.change - b.data.change);
  return true;
}

/** Gives the message as it is now. @param {Entry} entry @param {string} me @returns {Message | null} */
export function current({ told, later }, me) {
  return told && later.reduce((message, mutation) => apply(message, mutation, me), told);
}

/** @param {Message} message @param {Mutation} mutation @param {string} me @returns {Message} */
function apply(message, { event, data }, me) {
  const { change } = data;
  if (event === "message.recalled") return { ...message, change, recalled: true, content: {}, mentions: [], reactions: [] };
  if (event === "message.edited") return { ...message, change, content: data.content, edited_at: data.edited_at };
  if (event === "reaction") return { ...message, change, reactions: react(message.reactions, data, me) };
  return message;
}

/** @param {Reaction[]} reactions @param {any} data @param {string} me @returns {Reaction[]} */
function react(reactions, { emoji, count, user_ids, user_id, action }, me) {
  const before = reactions.find((reaction) => reaction.emoji === emoji);
  const mine = user_id === me ? action === "add" : Boolean(before?.mine) || user_ids.includes(me);
  const now = { emoji, count, mine, user_ids };
  if (!before) return count ? [...reactions, now] : reactions;
  return reactions.map((one) => (one === before ? now : one)).filter((one) => one.count);
}
