// A bank's statement at the desk: with the file that it was signed for, or another one; in parts; and said
// again after its window was settled.
import { createHash } from "node:crypto";
import { writeValid } from "@sealane/iso20022/schema";
import { bankStatementSchema, parseStrictJson, type BankLine } from "@sealane/protocol";
import {
  accountOf,
  bankLinesOf,
  cut,
  hk,
  makeSettlingWorld,
  netsOf,
  policy,
  say,
  settle,
  type World,
} from "@sealane/rules/testing";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { openTestDesk } from "./breaks/test-desk.ts";
import { makeBankFiles } from "./bank-files.ts";
import { makeDesk, type HandIn } from "./desk.ts";
import { openTestSchema, publish, startBooks } from "./test-books.ts";

let schema: Awaited<ReturnType<typeof openTestSchema>>;
beforeEach(async () => {
  schema = await openTestSchema(inject("databaseUrl"));
});
afterEach(() => schema.close());

const openDesk = async (world: World) => {
  const { keeper } = startBooks(schema.sql, world, { policy });
  await keeper.take(publish(world));
  const { statements, reader } = openTestDesk(schema, world, keeper, world.nowMs);
  const sent: string[] = [];
  const desk = makeDesk({
    sql: schema.sql,
    lane: 0,
    origin: world.origin,
    books: keeper.state,
    keys: () => world.keys(),
    onRefusedLines: statements.refusedBankStatement,
    send: (_topic, value) => {
      sent.push(value);
      return Promise.resolve();
    },
    clock: () => world.nowMs(),
  });
  let tries = 0;
  const handIn = (given: Pick<HandIn, "note"> & Partial<HandIn>) => {
    tries += 1;
    const asker = { principal: "operator/ann", role: "operator", idempotencyKey: `k${tries}` };
    return desk.handIn({ ...asker, ...given } as HandIn);
  };
  const breaks = async () => {
    const { rows } = await schema.sql.query<{ kind: string; subject: string; detail: string }>({
      text: "select kind, subject, detail from break_case order by number",
    });
    return rows;
  };
  return { sent, handIn, breaks, reader };
};

const deposits = (count: number): BankLine[] =>
  Array.from({ length: count }, (_, at) => ({
    reference: `IN-${at}`,
    account: accountOf(hk, "HKD"),
    currency: "HKD",
    side: "credit",
    amount: "10.00",
    status: "booked",
  }));

const camtOf = (lines: readonly BankLine[], messageId = "STATEMENT-1"): Buffer => {
  const at = "2026-11-22T00:00:00.000Z";
  const text = writeValid("camt.053", {
    messageId,
    createdAt: at,
    statements: [
      {
        id: `${messageId}-1`,
        createdAt: at,
        account: accountOf(hk, "HKD"),
        currency: "HKD",
        owner: hk,
        servicer: "bank.example",
        balances: [
          { type: "CLBD", amount: { currency: "HKD", amount: "1.00" }, side: "CRDT", date: at },
        ],
        entries: lines.map(({ reference, currency, amount }) => ({
          amount: { currency, amount },
          side: "CRDT",
          status: "BOOK",
          bookedAt: at,
          valueDate: at.slice(0, 10),
          transactionCode: { domain: "PMNT", family: "RCDT", subFamily: "BOOK" },
          details: [{ servicerReference: reference }],
        })),
      },
    ],
  });
  return Buffer.from(text);
};

const digestOf = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("base64");

describe("a bank's statement with its file", () => {
  const made = async (lines: BankLine[], of = lines) => {
    const world = makeSettlingWorld();
    const file = camtOf(of);
    const body = { lines, digest: digestOf(file) };
    const [first, ...rest] = say.statementParts(world.keys(), body, 100).map(({ note }) => note);
    const more = rest.length === 0 ? undefined : rest;
    return { file, given: { note: first ?? "", more }, ...(await openDesk(world)) };
  };

  it("goes to the lane, in parts as one command, and the file is kept", async () => {
    const { file, given, handIn, sent } = await made(deposits(120));
    expect(await handIn({ ...given, file })).toMatchObject({
      status: 202,
      body: { kind: "bank-statement", subject: "bank.example STATEMENT-1" },
    });
    const command = parseStrictJson(sent[0] ?? "");
    expect(command).toMatchObject({ ok: true, value: { note: given.note, more: given.more } });
    expect(await makeBankFiles(schema.sql).find(digestOf(file))).toEqual(file);
  });

  it.each([
    ["another file", camtOf(deposits(3), "OTHER"), "wrong-file"],
    ["no file of XML", Buffer.from("<a/>"), "wrong-file"],
  ])("is refused whole with %s", async (_what, other, code) => {
    const { given, handIn, sent, breaks } = await made(deposits(3));
    expect(await handIn({ ...given, file: other })).toMatchObject({ status: 422, body: { code } });
    expect([sent, await breaks()]).toEqual([[], []]);
  });

  it("is refused where the signed file says something else, or is none of the schema", async () => {
    const { file, given, handIn } = await made(deposits(3), deposits(2));
    expect(await handIn({ ...given, file })).toMatchObject({ body: { code: "wrong-file" } });
    const world = makeSettlingWorld();
    const bomb = Buffer.from('<!DOCTYPE a [<!ENTITY b "c">]><Document>&b;</Document>');
    const signed = say.bankStatement(world.keys(), { lines: deposits(1), digest: digestOf(bomb) });
    const answer = await handIn({ note: signed.note, file: bomb });
    expect(answer).toMatchObject({ status: 422, body: { code: "doctype-refused" } });
  });

  it("lacks a part: nothing is sent", async () => {
    const { given, handIn, sent } = await made(deposits(120));
    expect(await handIn({ note: given.note })).toMatchObject({ body: { code: "part-missing" } });
    const cutNote = say.windowCut(makeSettlingWorld().keys(), { number: 0 }).note;
    const mixed = await handIn({ note: cutNote, more: [given.note] });
    expect([mixed.status, sent]).toEqual([422, []]);
  });
});

describe("what a bank says twice", () => {
  const settledWorld = () => {
    const world = makeSettlingWorld();
    world.transfer({ key: "a" });
    const lines = bankLinesOf(netsOf(cut(world)));
    settle(world, lines);
    const window = { corridor: "hkd-php", number: 0, attempt: 0 };
    return { world, lines, window };
  };

  it("is one break, a duplicate, where its window is settled", async () => {
    const { world, lines, window } = settledWorld();
    const { handIn, breaks } = await openDesk(world);
    const { note } = say.bankStatement(world.keys(), { window, lines, reference: "STATEMENT-2" });
    expect(await handIn({ note })).toMatchObject({ body: { code: "window-settled" } });
    expect(await breaks()).toMatchObject([
      { kind: "duplicate", subject: "statement", detail: expect.stringContaining("STATEMENT-1") },
    ]);
  });

  it("and what is new in it is told apart", async () => {
    const { world, lines, window } = settledWorld();
    const { handIn, breaks } = await openDesk(world);
    const changed = lines.map((one, at) => (at === 0 ? { ...one, amount: "7.00" } : one));
    const body = { window, lines: changed, reference: "STATEMENT-2" };
    await handIn({ note: say.bankStatement(world.keys(), body).note });
    const kinds = (await breaks()).map(({ kind }) => kind).toSorted();
    const again = Array.from({ length: lines.length - 1 }, () => "duplicate");
    expect(kinds).toEqual([...again, "unmatched-bank-line"]);
  });

  it("within one statement, or a deposit of an earlier one, is a duplicate too", async () => {
    const world = makeSettlingWorld();
    world.run([say.bankStatement(world.keys(), { lines: deposits(1) })]);
    const { handIn, breaks } = await openDesk(world);
    const twice = [...deposits(3).slice(1), ...deposits(3).slice(2)];
    const body = (reference: string, lines: BankLine[]) =>
      say.bankStatement(world.keys(), { reference, lines }).note;
    expect(await handIn({ note: body("S-2", twice) })).toMatchObject({
      body: { code: "line-twice" },
    });
    expect(await handIn({ note: body("S-3", deposits(1)) })).toMatchObject({ status: 422 });
    expect(await breaks()).toMatchObject([
      { kind: "duplicate", subject: expect.stringContaining("line 2 IN-2") },
      { kind: "duplicate", subject: "statement" },
    ]);
  });
});

describe("a refused statement of which every line has its counterpart", () => {
  it("is a break of its own: a leg without a line, cover that may not leave", async () => {
    const world = makeSettlingWorld();
    world.transfer({ key: "a" });
    const lines = bankLinesOf(netsOf(cut(world)));
    const { handIn, breaks } = await openDesk(world);
    const window = { corridor: "hkd-php", number: 0, attempt: 0 };
    const said = (reference: string, body: object) =>
      say.bankStatement(world.keys(), { reference, lines, ...body }).note;
    const short = await handIn({ note: said("S-1", { window, lines: lines.slice(1) }) });
    expect(short).toMatchObject({ body: { code: "account-missing" } });
    const out = { ...deposits(1)[0], side: "debit" };
    const drawn = await handIn({ note: said("S-2", { lines: [out] }) });
    expect(drawn).toMatchObject({ body: { code: "withdrawal-uncovered" } });
    expect(await breaks()).toMatchObject([
      { kind: "unmatched-bank-line", detail: expect.stringContaining("account-missing") },
      { kind: "unmatched-bank-line", detail: expect.stringContaining("withdrawal-uncovered") },
    ]);
  });
});

it("parts are one statement to whoever reads the window", async () => {
  const world = makeSettlingWorld();
  world.transfer({ key: "a" });
  const lines = bankLinesOf(netsOf(cut(world)));
  const window = { corridor: "hkd-php", number: 0, attempt: 0 };
  const parts = say.statementParts(world.keys(), { window, lines }, 2);
  world.run([say.handedIn(parts)]);
  expect(parts.every(({ body }) => bankStatementSchema.safeParse(body).success)).toBe(true);
  await openDesk(world);
  const { makeSettlementReader } = await import("./settlement-reader.ts");
  const reader = makeSettlementReader(schema.sql, 0, world.origin);
  expect(await reader.statementsOf(window)).toMatchObject([{ reference: "STATEMENT-1", lines }]);
  const view = await reader.window(window);
  expect(view?.nets.flatMap(({ legs }) => legs).every(({ booked }) => booked)).toBe(true);
});
