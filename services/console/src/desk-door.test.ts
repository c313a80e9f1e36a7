import type { IncomingMessage } from "node:http";
import type { CallOutcome, HttpClient } from "@sealane/http";
import { expect, it } from "vitest";
import { makeDeskDoor } from "./desk-door.ts";
import { readApprovals } from "./read-approvals.ts";
import type { Access } from "./sessions.ts";

const ok = (status: number, body: unknown): CallOutcome => ({
  outcome: "ok",
  status,
  body: JSON.stringify(body),
  headers: {},
});
const failed: CallOutcome = { outcome: "failed", error: new Error("nobody listens there") };
const clientOf = (get: HttpClient["get"]): HttpClient => ({
  get,
  post: () => Promise.resolve(failed),
  close: () => undefined,
});

const desk = clientOf((_, options) => {
  const known = options?.headers?.["Authorization"] === "Bearer token-of-alice-1234";
  const me = { principal: "operator/alice", role: "operator" };
  return Promise.resolve(known ? ok(200, me) : ok(401, { code: "token-invalid" }));
});
const closed: Access = { kind: "operators", digests: new Map() };
const request = (cookie = ""): IncomingMessage =>
  ({ headers: { cookie } }) as unknown as IncomingMessage;
const cookieIn = (header: unknown): string => String(header).split(";")[0] ?? "";

it("knows who acts by the desk's own word, for eight hours", async () => {
  let nowMs = 0;
  const door = makeDeskDoor(desk, closed, () => nowMs);
  const begun = await door.begin(request(), "alice", "token-of-alice-1234");
  expect(begun).toMatch(/HttpOnly; SameSite=Strict/);
  const asked = request(cookieIn(begun));
  expect(door.who(asked, "alice")).toMatchObject({ principal: "operator/alice" });
  // Another person at the same browser acts in nobody's name.
  expect(door.who(asked, "bob")).toBeUndefined();
  nowMs = 8 * 3_600_000 + 1;
  expect(door.who(asked, "alice")).toBeUndefined();
});

it.each([
  ["bob", "token-of-alice-1234", "other-person"],
  ["alice", "token-of-nobody-123", "token-invalid"],
])("lets %s not act with %s: %s", async (viewer, token, code) => {
  const door = makeDeskDoor(desk, closed, () => 0);
  expect(await door.begin(request(), viewer, token)).toMatchObject({ code });
});

it("forgets who leaves", async () => {
  const door = makeDeskDoor(desk, { kind: "open" }, () => 0);
  const asked = request(cookieIn(await door.begin(request(), "anybody", "token-of-alice-1234")));
  door.end(asked);
  expect(door.who(asked, "anybody")).toBeUndefined();
});

it("names the sources that are silent: nothing known is not nothing waiting", async () => {
  const people = [
    { participant: "hk-wallet.example", roles: ["wallet"], suspended: true },
    { participant: "ph-wallet.example", roles: ["wallet"], suspended: false },
  ];
  const reconciliation = clientOf((path) =>
    Promise.resolve(
      path.startsWith("/v1/participants") ? ok(200, { keysSize: 3, participants: people }) : failed,
    ),
  );
  const ledger = clientOf(() =>
    Promise.resolve(ok(200, { lane: 0, stopped: { offset: "17", hash: "h" } })),
  );
  const adapters = [{ name: "hk-wallet", client: clientOf(() => Promise.resolve(ok(404, {}))) }];
  const { faults, ...rest } = await readApprovals({ reconciliation, ledger, adapters });
  expect(rest).toEqual({
    breaks: [],
    transfers: [],
    suspended: [{ participant: "hk-wallet.example", roles: "wallet" }],
    stopped: { lane: 0, offset: "17", hash: "h" },
    asksAdapters: true,
  });
  expect(faults.map(({ source }) => source)).toEqual(["Breaks", "The adapter hk-wallet"]);
});
