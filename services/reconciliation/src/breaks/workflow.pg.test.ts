// A break's way over HTTP: statements in, breaks out, and who may do what about them. Two people resolve
// it; where money moves the log's entry does; the same key gets the same answer; nothing forgets.
import { randomUUID } from "node:crypto";
import { bearerAuth, createHttpApp, startHttp, tokenDigest, type HttpServer } from "@sealane/http";
import { formatTime, parseTime, type ProviderLine } from "@sealane/protocol";
import {
  bankLinesOf,
  cut,
  genesisMs,
  hk,
  makeSettlingWorld,
  netsOf,
  policy,
  say,
  testKeys,
  type World,
} from "@sealane/rules/testing";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { makeDesk } from "../desk.ts";
import { openTestSchema, publish, startBooks } from "../test-books.ts";
import { mountBreaks } from "./break-routes.ts";
import { openTestDesk } from "./test-desk.ts";

type Break = {
  id: string;
  kind: string;
  state: string;
  owner: string;
  detail: string;
  asOf: object;
  events: { kind: string; principal: string }[];
  [field: string]: unknown;
};
type Answer = { status: number; body: Record<string, unknown> };

let schema: Awaited<ReturnType<typeof openTestSchema>>;
let http: HttpServer | undefined;
let nowMs = 0;
beforeEach(async () => {
  schema = await openTestSchema(inject("databaseUrl"));
  nowMs = genesisMs + 86_400_000;
});
afterEach(async () => {
  await http?.close();
  await schema.close();
});

const people = ["operator/ann", "approver/ann", "approver/bob", "auditor/eve"] as const;
type Person = (typeof people)[number];

/** A world whose first transfer hk has booked with another amount. */
const open = async (world: World = makeSettlingWorld()) => {
  const transfer = world.transfer({ key: "a" });
  world.publishSheet({}, world.nowMs() + 5_000);
  const { keeper } = startBooks(schema.sql, world, { policy });
  await keeper.take(publish(world));
  const made = openTestDesk(schema, world, keeper, () => nowMs);
  const tokens = new Map(people.map((name) => [name as string, tokenDigest(name.padEnd(40, "x"))]));
  const app = createHttpApp({ name: "test", auth: { operator: bearerAuth(tokens) } });
  mountBreaks({ app, ...made, clock: () => nowMs });
  http = await startHttp({ app, port: 0 });
  const { url } = http;
  const ask = async (person: Person, path: string, body?: object, key: string = randomUUID()) => {
    const answer = await fetch(`${url}${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: {
        Authorization: `Bearer ${person.padEnd(40, "x")}`,
        "Content-Type": "application/json",
        "Idempotency-Key": key,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: await answer.json() } as Answer;
  };
  const line: ProviderLine = {
    reference: "L-1",
    transfer,
    side: "debit",
    currency: "HKD",
    amount: "1005.00",
    status: "booked",
    bookedAt: formatTime(genesisMs + 1_100),
  };
  const statement = {
    participant: hk,
    reference: "S-1",
    from: formatTime(genesisMs),
    to: formatTime(genesisMs + 4_000),
    lines: [line],
  };
  const find = async (): Promise<Break> => {
    const { breaks } = (await ask("auditor/eve", "/v1/breaks?state=all")).body as {
      breaks: Break[];
    };
    const [first] = breaks;
    if (first === undefined) throw new Error("no break");
    return (await ask("auditor/eve", `/v1/breaks/${first.id}`)).body as Break;
  };
  /** Everything again, as far as the log goes now. */
  const catchUp = async (): Promise<void> => {
    await keeper.take(publish(world));
    await made.statements.follow();
  };
  return { ...made, world, keeper, ask, line, statement, find, catchUp, transfer };
};

describe("a provider's statement", () => {
  it("gives a break with its owner, deadline and both sides; told again it changes nothing", async () => {
    const { ask, statement, find, transfer } = await open();
    const first = await ask("operator/ann", "/v1/provider-statements", statement);
    expect(first).toMatchObject({ status: 201, body: { newLines: 1, already: false } });
    const again = await ask("operator/ann", "/v1/provider-statements", statement);
    expect(again).toMatchObject({ status: 200, body: { newLines: 0, already: true } });
    const found = await find();
    expect(found).toMatchObject({
      kind: "amount",
      state: "open",
      owner: `participant/${hk}`,
      transfer,
      expected: "1000.00",
      found: "1005.00",
      overdue: false,
      asOf: { providerUntil: statement.to },
      log: { bookings: [{ side: "debit", amount: "1000.00", fee: "2.00" }] },
      lines: [{ reference: "L-1", amount: "1005.00" }],
      events: [{ kind: "opened", principal: "reconciliation" }],
    });
    nowMs += 25 * 3_600_000;
    expect(await find()).toMatchObject({ overdue: true, ageSeconds: 25 * 3_600 });
    const list = (await ask("auditor/eve", "/v1/breaks?kind=amount")).body;
    expect(list["counts"]).toMatchObject([{ kind: "amount", count: 1, overdue: 1 }]);
    const report = `/v1/reports/breaks?from=${statement.from}&to=${formatTime(nowMs)}`;
    expect((await ask("auditor/eve", report)).body["rows"]).toEqual([
      { participant: hk, kind: "amount", state: "open", count: 1, pastDeadline: 1 },
    ]);
  });

  it("is refused whole: by whom, of when, of what", async () => {
    const { ask, statement, line } = await open();
    const send = async (change: object, person: Person = "operator/ann") => {
      const answer = await ask(person, "/v1/provider-statements", { ...statement, ...change });
      return answer.body["code"] ?? answer.status;
    };
    const ahead = formatTime(nowMs + 1);
    expect(await send({}, "auditor/eve")).toBe("not-allowed");
    expect(await send({ participant: "nobody.example" })).toBe("participant-unknown");
    expect(await send({ to: ahead })).toBe("period-open");
    expect(await send({ to: statement.from })).toBe("period-empty");
    expect(await send({ lines: [line, line] })).toBe("line-twice");
    expect(await send({ lines: [{ ...line, amount: "1.001" }] })).toBe("line-amount");
    expect(await send({ lines: [{ ...line, bookedAt: statement.to }] })).toBe("line-outside");
    expect(await send({})).toBe(201);
    expect(await send({ lines: [] })).toBe("statement-reused");
    const next = {
      reference: "S-2",
      from: statement.to,
      to: formatTime(parseTime(statement.to) + 1),
    };
    expect(
      await send({
        ...next,
        from: formatTime(parseTime(next.from) + 1),
        to: ahead.replace("1Z", "0Z"),
        lines: [],
      }),
    ).toBe("statement-gap");
    expect(
      await send({ ...next, from: statement.from, lines: [{ ...line, amount: "7.00" }] }),
    ).toBe("line-reused");
    expect(await send({ ...next, from: statement.from })).toBe(201);
  });

  it("explains a break by itself when the missing line comes, and says that it was late", async () => {
    const { ask, statement, line } = await open();
    await ask("operator/ann", "/v1/provider-statements", { ...statement, lines: [] });
    const kinds = async (state: string) => {
      const { body } = await ask("auditor/eve", `/v1/breaks?state=${state}`);
      return (body["breaks"] as Break[]).map(({ kind }) => kind);
    };
    expect(await kinds("live")).toEqual(["missing-at-wallet"]);
    const late = { ...line, amount: "1000.00", bookedAt: formatTime(genesisMs + 4_500) };
    const to = formatTime(genesisMs + 5_000);
    const next = { ...statement, reference: "S-2", from: statement.to, to, lines: [late] };
    expect((await ask("operator/ann", "/v1/provider-statements", next)).status).toBe(201);
    expect(await kinds("live")).toEqual(["late"]);
    expect(await kinds("cleared")).toEqual(["missing-at-wallet"]);
  });
});

describe("a break", () => {
  it("is resolved by two people; its history and the trail say who did what", async () => {
    const { ask, statement, find } = await open();
    await ask("operator/ann", "/v1/provider-statements", statement);
    const { id } = await find();
    const at = `/v1/breaks/${id}`;
    const codes: unknown[] = [];
    const act = async (person: Person, path: string, body: object, key?: string) => {
      const { status, body: said } = await ask(person, `${at}/${path}`, body, key);
      codes.push(said["code"] ?? status);
    };
    const proposal = { outcome: "explained", text: "their fee of the month" };
    await act("auditor/eve", "comments", { text: "why?" });
    await act("operator/ann", "comments", { text: "asked them" }, "k1");
    await act("operator/ann", "comments", { text: "asked them" }, "k1");
    await act("operator/ann", "comments", { text: "something else" }, "k1");
    await act("operator/ann", "owner", { owner: "operator/ann" });
    await act("approver/bob", "approval", {});
    await act("operator/ann", "proposal", proposal);
    await act("operator/ann", "approval", {});
    await act("approver/ann", "approval", {});
    await act("approver/bob", "rejection", { text: "which fee?" });
    await act("operator/ann", "proposal", proposal);
    await act("approver/bob", "approval", { text: "seen" });
    await act("approver/bob", "approval", {});
    expect(codes.join(" ")).toBe(
      "not-allowed 200 200 key-reused 200 nothing-proposed 200 " +
        "not-allowed same-person 200 200 200 nothing-proposed",
    );
    const found = await find();
    expect(found).toMatchObject({ state: "resolved", owner: "operator/ann" });
    expect(found.events.map(({ kind, principal }) => `${kind} ${principal}`)).toEqual([
      "opened reconciliation",
      "commented operator/ann",
      "assigned operator/ann",
      "proposed operator/ann",
      "rejected approver/bob",
      "proposed operator/ann",
      "approved approver/bob",
    ]);
    const trail = await schema.sql.query({
      text: "select 1 from action where kind like 'break-%'",
    });
    expect(trail.rows).toHaveLength(11);
    for (const table of ["break_event", "provider_statement"]) {
      await expect(schema.admin.query({ text: `delete from ${table}` })).rejects.toThrow();
    }
  });

  it("is approved as it was read, and not when another proposal has taken its place", async () => {
    const { ask, statement, find } = await open();
    await ask("operator/ann", "/v1/provider-statements", statement);
    const { id } = await find();
    const propose = async (text: string): Promise<string> => {
      await ask("operator/ann", `/v1/breaks/${id}/proposal`, { outcome: "accepted", text });
      return ((await find())["proposal"] as { id: string }).id;
    };
    const approve = (proposal: string) =>
      ask("approver/bob", `/v1/breaks/${id}/approval`, { proposal });
    const read = await propose("0.05 of rounding");
    await ask("operator/ann", `/v1/breaks/${id}/rejection`, { text: "not that" });
    nowMs += 1;
    const now = await propose("all of it");
    expect(await approve(read)).toMatchObject({ status: 409, body: { code: "proposal-changed" } });
    expect(await find()).toMatchObject({ state: "proposed" });
    expect((await approve(now)).status).toBe(200);
    expect(await find()).toMatchObject({ state: "resolved" });
  });

  it("where money moves is resolved by the log's entry that two operators signed", async () => {
    const { ask, statement, find, world, catchUp, sent, transfer } = await open();
    await ask("operator/ann", "/v1/provider-statements", statement);
    const { id } = await find();
    const at = `/v1/breaks/${id}`;
    const signed = (signers: (typeof testKeys.alice)[], change = {}) =>
      say.adjustment(world.keys(), { id, transfer, ...change }, { signers });
    const propose = async (note: string) => {
      const body = { outcome: "adjusted", text: "we owe them 5.00", note };
      return (await ask("operator/ann", `${at}/proposal`, body)).body["code"] ?? "taken";
    };
    expect(await propose(signed([testKeys.bank]).note)).toBe("signature-missing");
    expect(await propose(signed([testKeys.alice], { break: "late" }).note)).toBe("wrong-break");
    expect(await propose(signed([testKeys.alice], { currency: "USD" }).note)).toBe(
      "currency-not-served",
    );
    expect(await propose(signed([testKeys.alice]).note)).toBe("taken");
    const approve = async (note: string) =>
      (await ask("approver/bob", `${at}/approval`, { note })).body["code"] ?? "taken";
    expect(await approve(signed([testKeys.alice]).note)).toBe("signature-missing");
    const other = signed([testKeys.alice, testKeys.bob], { amount: "50.00" });
    expect(await approve(other.note)).toBe("adjustment-changed");
    const both = signed([testKeys.alice, testKeys.bob]);
    expect(await approve(both.note)).toBe("taken");
    expect(sent.map((one) => JSON.parse(one) as unknown)).toEqual([
      { v: 1, kind: "adjustment", note: both.note },
    ]);
    expect(await find()).toMatchObject({ state: "posting" });
    world.run([both]);
    await catchUp();
    const found = await find();
    expect(found.state).toBe("resolved");
    expect(found.events.at(-1)).toMatchObject({ kind: "posted", principal: "ledger" });
  });
});

it("a bank's refused statement leaves a break for each line that nothing answers to", async () => {
  const world = makeSettlingWorld();
  world.transfer({ key: "z" });
  const lines = bankLinesOf(netsOf(cut(world)));
  const { keeper, statements, find } = await open(world);
  const desk = makeDesk({
    sql: schema.sql,
    lane: 0,
    origin: world.origin,
    books: keeper.state,
    keys: () => world.keys(),
    send: () => Promise.reject(new Error("nothing may be sent")),
    onRefusedLines: statements.refusedBankStatement,
    clock: () => nowMs,
  });
  const window = { corridor: "hkd-php", number: 0, attempt: 0 };
  const changed = lines.map((one, at) => (at === 0 ? { ...one, reference: "UNKNOWN-7" } : one));
  const { note } = say.bankStatement(world.keys(), { window, lines: changed });
  const given = { principal: "operator/ann", role: "operator", idempotencyKey: "b", note } as const;
  expect(await desk.handIn(given)).toMatchObject({
    status: 422,
    body: { code: "line-unexpected" },
  });
  const { rows } = await schema.sql.query({ text: "select subject from break_case" });
  expect(rows).toHaveLength(1);
  expect(await find()).toMatchObject({
    kind: "unmatched-bank-line",
    between: "log-bank",
    owner: "operator/desk",
    detail: expect.stringContaining("no such leg") as string,
  });
});

it("says when Postgres has not what the log gives, whoever changed it", async () => {
  const world = makeSettlingWorld();
  const { find, statements } = await open(world);
  await statements.follow();
  await schema.admin.query({ text: "alter table posting disable trigger user" });
  await schema.admin.query({
    text: `update posting set amount_minor = amount_minor + 1
      where debit = '${hk}:position' and amount_minor > 10000`,
  });
  await schema.admin.query({ text: "update reconcile_cursor set next_seq = 0" });
  await statements.follow();
  expect(await find()).toMatchObject({ kind: "amount", between: "log-postgres" });
});
