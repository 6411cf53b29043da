/** How a client stays connected. */

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { Link } from "../../../web/gochat/link.js";
import { FakeSocket, settled } from "./fakes.mjs";

let session, link, statuses;

beforeEach(async () => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  FakeSocket.all = [];
  statuses = [];
  session = {
    websocketUrl: "wss://g1/prod",
    ended: [],
    token: async () => "secret-token",
    api: async (_, path) => (path === "/gateways" ? { gateways: [{ url: "wss://g1/prod" }, { url: "wss://g2/prod" }] } : {}),
    moveTo: async (url) => void (session.websocketUrl = url),
    end: async (reason) => session.ended.push(reason),
  };
  link = new Link({ session, WebSocket: FakeSocket, random: () => 0.5 });
  link.onStatus = (status) => statuses.push(status);
  link.start();
  await settled();
});

const reconnect = async () => {
  mock.timers.tick(31_000);
  await settled();
};

test("the token travels as a subprotocol and in no URL", () => {
  assert.deepEqual([FakeSocket.last.url, FakeSocket.last.protocols], ["wss://g1/prod", ["gochat.v1", "bearer.secret-token"]]);
});

test("a connection that is lost is opened again", async () => {
  await FakeSocket.last.open();
  FakeSocket.last.end();
  await reconnect();
  assert.equal(FakeSocket.all.length, 2);
  await FakeSocket.last.open();
  assert.deepEqual(statuses, ["connecting", "online", "offline", "connecting", "online"]);
});

test("a request that was on its way when the connection broke fails, so that it can be repeated", async () => {
  await FakeSocket.last.open();
  const request = link.request("message.read", {});
  FakeSocket.last.end();
  await assert.rejects(request, /connection/);
});

test("pings go out as often as told, and a connection without a sign of life is given up", async () => {
  await FakeSocket.last.open({ ping_interval_s: 30 });
  mock.timers.tick(30_000);
  assert.ok(FakeSocket.last.frame("ping"));
  FakeSocket.last.receive({ event: "pong" });
  mock.timers.tick(30_000);
  assert.equal(FakeSocket.last.closed, false);
  mock.timers.tick(10_000);
  assert.equal(FakeSocket.last.closed, true);
});

test("before its time is over a connection is replaced by one that is open already", async () => {
  await FakeSocket.last.open();
  const [first] = FakeSocket.all;
  mock.timers.tick(115 * 60_000);
  await settled();
  const next = FakeSocket.last;
  assert.notEqual(next, first);
  // It may be told of its replacement before the new one has been answered.
  first.receive({ event: "session.replaced", data: {} });
  assert.equal(link.status, "online");
  await next.open();
  link.tell("typing", {});
  assert.ok(next.frame("typing") && !first.frame("typing"));
  first.end();
  await reconnect();
  assert.deepEqual([FakeSocket.all.length, link.status], [2, "online"]);
});

test("whoever was replaced by somebody else does not come back", async () => {
  await FakeSocket.last.open();
  FakeSocket.last.receive({ event: "session.replaced", data: {} });
  FakeSocket.last.end();
  await reconnect();
  assert.deepEqual([FakeSocket.all.length, link.status], [1, "replaced"]);
});

test("whose login was revoked does not come back", async () => {
  await FakeSocket.last.open();
  FakeSocket.last.receive({ event: "session.revoked", data: {} });
  FakeSocket.last.end();
  await reconnect();
  assert.deepEqual([FakeSocket.all.length, link.status, session.ended], [1, "stopped", ["revoked"]]);
});

test("who is moved connects to the other gateway", async () => {
  await FakeSocket.last.open();
  FakeSocket.last.receive({ event: "session.moved", data: { gateway_id: "g2", websocket_url: "wss://g2/prod" } });
  FakeSocket.last.end();
  await reconnect();
  assert.equal(FakeSocket.last.url, "wss://g2/prod");
});

test("a gateway that can't be reached twice is left for another one", async () => {
  FakeSocket.last.end();
  await settled();
  await reconnect();
  FakeSocket.last.end();
  await settled();
  await reconnect();
  assert.equal(FakeSocket.last.url, "wss://g2/prod");
});

test("when the network is back nobody waits", async () => {
  await FakeSocket.last.open();
  link.drop();
  assert.equal(link.status, "offline");
  link.nudge();
  await settled();
  assert.equal(FakeSocket.all.length, 2);
});
