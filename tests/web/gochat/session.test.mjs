/** How a login is kept alive, and how it ends. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Unreachable } from "../../../web/gochat/rest.js";
import { Session, SessionEnded } from "../../../web/gochat/session.js";
import { MemoryStorage } from "../../../web/gochat/storage.js";
import { ALICE, problem } from "./fakes.mjs";

let storage, calls, answers, now;

const tokens = (number) => ({ access_token: `access-${number}`, refresh_token: `refresh-${number}`, expires_in: 900, user: { user_id: ALICE }, websocket_url: "wss://g1" });
const rest = {
  call: async (method, path, options = {}) => {
    calls.push({ method, path, ...options });
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  },
};
const open = async () => {
  let number = 0;
  const session = new Session({ rest, storage, now: () => now, newId: () => `id-${(number += 1)}` });
  await session.restore();
  return session;
};

beforeEach(() => {
  storage = new MemoryStorage();
  calls = [];
  answers = [];
  now = 0;
});

test("the device keeps its id, and only the refresh token is on disk", async () => {
  answers = [tokens(1)];
  const session = await open();
  await session.login("alice", "secret");
  const { deviceId } = await open();
  assert.equal(deviceId, session.deviceId);
  assert.ok(!JSON.stringify(await storage.readAll("session")).includes("access-1"));
});

test("however many ask for a token, one refresh goes out", async () => {
  answers = [tokens(1), tokens(2)];
  const session = await open();
  await session.login("alice", "secret");
  now = 890_000;
  assert.deepEqual(await Promise.all([session.token(), session.token(), session.token()]), ["access-2", "access-2", "access-2"]);
  assert.equal(calls.filter(({ path }) => path === "/auth/refresh").length, 1);
});

test("a refresh whose answer was lost is repeated under the same key, even by the next page", async () => {
  answers = [tokens(1), new Unreachable("lost"), tokens(2), tokens(3)];
  const session = await open();
  await session.login("alice", "secret");
  await assert.rejects(session.refresh(), Unreachable);
  const next = await open();
  await next.token();
  await next.refresh();
  const [lost, repeated, later] = calls.filter(({ path }) => path === "/auth/refresh");
  assert.ok(lost.idempotencyKey);
  assert.deepEqual([repeated.idempotencyKey, repeated.body], [lost.idempotencyKey, lost.body]);
  assert.equal(later.body.refresh_token, "refresh-2");
});

test("a refused refresh ends the login for good, and says so once", async () => {
  answers = [tokens(1), problem(401, "unauthenticated")];
  const session = await open();
  const ended = [];
  session.onEnded = (reason) => ended.push(reason);
  await session.login("alice", "secret");
  await assert.rejects(session.refresh(), SessionEnded);
  await assert.rejects(session.refresh(), SessionEnded);
  assert.deepEqual(ended, ["revoked"]);
  assert.equal(await (await open()).restore(), false);
});

test("a call with a token that is refused is made once more with a new one", async () => {
  answers = [tokens(1), problem(401, "token_expired"), tokens(2), { done: true }];
  const session = await open();
  await session.login("alice", "secret");
  assert.deepEqual(await session.api("GET", "/users/me"), { done: true });
  assert.deepEqual(calls.map(({ token }) => token), [undefined, "access-1", undefined, "access-2"]);
});

test("other refusals are the caller's", async () => {
  answers = [tokens(1), problem(403, "forbidden")];
  const session = await open();
  await session.login("alice", "secret");
  await assert.rejects(session.api("GET", "/groups/1"), { code: "forbidden" });
});

test("a logout that can't reach the service still forgets the login here", async () => {
  answers = [tokens(1), new Unreachable("no network")];
  const session = await open();
  await session.login("alice", "secret");
  await assert.rejects(session.logout(), Unreachable);
  assert.equal(session.user, null);
});
