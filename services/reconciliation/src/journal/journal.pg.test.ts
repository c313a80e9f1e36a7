// All tables dropped: the journal and the log give them back, to the byte. And what may happen to a journal:
// a crash between the file and the commit, a changed byte, a file that is gone, tables from before it.
import { createHash } from "node:crypto";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeValid } from "@sealane/iso20022/schema";
import { formatTime, type BankLine } from "@sealane/protocol";
import {
  accountOf,
  bankLinesOf,
  cut,
  genesisMs,
  hk,
  makeSettlingWorld,
  netsOf,
  policy,
  say,
  settle,
  type World,
} from "@sealane/rules/testing";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { openTestDesk } from "../breaks/test-desk.ts";
import type { Deed } from "../breaks/break-desk.ts";
import { makeDesk, type HandIn } from "../desk.ts";
import { openTestSchema, publish, startBooks } from "../test-books.ts";
import { makeJournal } from "./journal.ts";

let schema: Awaited<ReturnType<typeof openTestSchema>>;
let folder: string;
let path: string;
let nowMs = 0;
beforeEach(async () => {
  schema = await openTestSchema(inject("databaseUrl"));
  folder = mkdtempSync(join(tmpdir(), "sealane-journal-"));
  path = join(folder, "reconciliation.journal");
  nowMs = genesisMs + 86_400_000;
});
afterEach(async () => {
  await schema.close();
  rmSync(folder, { recursive: true });
});

/** Every row of every table, as text. */
const dump = async (): Promise<Record<string, string[]>> => {
  const { rows: tables } = await schema.admin.query<{ name: string }>({
    text: `select table_name as name from information_schema.tables
      where table_schema = current_schema() and table_name not like '%migration%' order by 1`,
  });
  const all: Record<string, string[]> = {};
  for (const { name } of tables) {
    const text = `select t::text as row from ${name} t order by 1`;
    all[name] = (await schema.admin.query<{ row: string }>({ text })).rows.map(({ row }) => row);
  }
  return all;
};

const dropEverything = async (): Promise<void> => {
  await schema.close();
  schema = await openTestSchema(inject("databaseUrl"));
};

const start = async (world: World) => {
  const journal = makeJournal(schema.database, path);
  const opened = await journal.open();
  const { keeper, faults } = startBooks(schema.sql, world, { policy });
  await keeper.take(publish(world));
  expect(faults).toEqual([]);
  const made = openTestDesk(schema, world, keeper, () => nowMs, journal.flush);
  const desk = makeDesk({
    sql: schema.sql,
    lane: 0,
    origin: world.origin,
    books: keeper.state,
    keys: () => world.keys(),
    send: () => Promise.resolve(),
    onRefusedLines: made.statements.refusedBankStatement,
    kept: journal.flush,
    clock: () => nowMs,
  });
  let tries = 0;
  const key = (): string => {
    tries += 1;
    return `${nowMs}-${tries}`;
  };
  const handIn = (given: Pick<HandIn, "note"> & Partial<HandIn>) =>
    desk.handIn({
      principal: "operator/ann",
      role: "operator",
      idempotencyKey: key(),
      ...given,
    });
  const act = (principal: string, id: string, deed: Deed) => {
    const role = principal.startsWith("approver") ? "approver" : "operator";
    return made.desk.act({ principal, role, idempotencyKey: key(), id, deed });
  };
  return { journal, opened, keeper, ...made, handIn, act, key };
};

/** Two windows, of which one is settled; the second transfer is of the open window. */
const makeLog = (): { world: World; transfers: string[]; lines: BankLine[] } => {
  const world = makeSettlingWorld();
  const transfers = [world.transfer({ key: "a" })];
  const lines = bankLinesOf(netsOf(cut(world)));
  settle(world, lines);
  transfers.push(world.transfer({ key: "b" }));
  world.publishSheet({}, world.nowMs() + 5_000);
  return { world, transfers, lines };
};

const deposit: BankLine = {
  reference: "IN-1",
  account: accountOf(hk, "HKD"),
  currency: "HKD",
  side: "credit",
  amount: "10.00",
  status: "booked",
};

const camt = (): Buffer => {
  const at = "2026-11-22T00:00:00.000Z";
  const { account, currency, amount, reference } = deposit;
  const money = { currency, amount };
  const entry = {
    amount: money,
    side: "CRDT",
    status: "BOOK",
    bookedAt: at,
    valueDate: at.slice(0, 10),
    transactionCode: { domain: "PMNT", family: "RCDT", subFamily: "BOOK" },
    details: [{ servicerReference: reference }],
  };
  const statement = {
    id: "S-1",
    createdAt: at,
    account,
    currency,
    owner: hk,
    servicer: "bank.example",
    balances: [{ type: "CLBD", amount: money, side: "CRDT", date: at }],
    entries: [entry],
  };
  const body = { messageId: "S", createdAt: at, statements: [statement] };
  return Buffer.from(writeValid("camt.053", body as Parameters<typeof writeValid>[1] as never));
};

type Started = Awaited<ReturnType<typeof start>>;

/** What banks, a provider and people say: every table that is not the log's has rows. */
const sayMuch = async (
  { world, transfers, lines }: ReturnType<typeof makeLog>,
  { statements, act, handIn, key, reader }: Started,
): Promise<void> => {
  const digest = createHash("sha256").update(camt()).digest("base64");
  const signed = say.bankStatement(world.keys(), { lines: [deposit], digest, reference: "D-1" });
  expect(await handIn({ note: signed.note, file: camt() })).toMatchObject({ status: 202 });
  const window = { corridor: "hkd-php", number: 0, attempt: 0 };
  const again = say.bankStatement(world.keys(), { window, lines, reference: "STATEMENT-2" });
  expect(await handIn({ note: again.note })).toMatchObject({ status: 422 });
  const line = (reference: string, transfer: string | undefined, amount: string) => ({
    reference,
    ...(transfer === undefined ? {} : { transfer }),
    side: "debit" as const,
    currency: "HKD",
    amount,
    status: reference === "L-2" ? ("pending" as const) : ("booked" as const),
    bookedAt: formatTime(genesisMs + 1_100),
  });
  const take = async (reference: string, from: number, to: number, all: object[]) => {
    const period = { from: formatTime(genesisMs + from), to: formatTime(genesisMs + to) };
    const statement = { participant: hk, reference, ...period, lines: all };
    const given = { principal: "operator/ann", idempotencyKey: key(), statement };
    expect(await statements.take(given as never)).toMatchObject({ body: { already: false } });
  };
  const unknown = "00000000-0000-4000-8000-000000000000";
  await take("S-1", 0, 2_000, [
    line("L-1", transfers[0], "1005.00"),
    line("L-2", transfers[1], "1000.00"),
    // Beyond what JavaScript's numbers hold.
    line("L-3", unknown, "92233720368547758.07".slice(0, 15) + ".07"),
    line("L-4", undefined, "3.00"),
  ]);
  nowMs += 60_000;
  const bookedAt = formatTime(genesisMs + 2_500);
  const booked = { ...line("L-2", transfers[1], "1000.00"), status: "booked", bookedAt };
  // Of a transfer that the log may still decide on: looked at again later.
  const late = { ...line("L-5", unknown, "5.00"), bookedAt: formatTime(genesisMs + 6_000) };
  await take("S-2", 2_000, 7_000, [booked, late]);
  const { rows } = await schema.sql.query<{ id: string }>({
    text: "select id from break_case order by number",
  });
  expect(rows.length).toBeGreaterThan(3);
  const [first = "", second = ""] = rows.map(({ id }) => id);
  const text = 'Müller said\u2028 „no“\n\tat 10:00 \u{1F600} \\ " \r\n';
  nowMs += 1;
  expect(await act("operator/ann", first, { kind: "comment", text })).toMatchObject({
    status: 200,
  });
  await act("operator/ann", first, { kind: "assign", owner: "operator/bob" });
  const proposal = { kind: "propose", outcome: "explained", text: "it is known" } as const;
  await act("operator/ann", second, proposal);
  nowMs += 1;
  expect(await act("approver/bob", second, { kind: "approve" })).toMatchObject({ status: 200 });
  expect((await reader.find(second))?.state).toBe("resolved");
};

const isWritten = async (): Promise<boolean> => {
  const { rows } = await schema.sql.query<{ left: bigint }>({
    text: "select count(*) as left from journal_outbox",
  });
  return rows[0]?.left === 0n;
};

describe("with all of its tables dropped, reconciliation", () => {
  it("is the same bytes again from the log and the journal, and goes on from there", async () => {
    const log = makeLog();
    const before = await start(log.world);
    expect(before.opened).toMatchObject({ how: "begun", lines: 0 });
    await sayMuch(log, before);
    await before.statements.follow();
    expect(await isWritten()).toBe(true);
    const dumped = await dump();
    const empty = Object.entries(dumped).filter(([, rows]) => rows.length === 0);
    expect(empty.map(([name]) => name)).toEqual(["journal_outbox"]);
    await dropEverything();
    const after = await start(log.world);
    expect(after.opened.how).toBe("restored");
    await after.statements.follow();
    expect(await dump()).toEqual(dumped);
    // What is said now is numbered behind what was said then, and is in the same journal.
    const { rows } = await schema.sql.query<{ id: string }>({
      text: "select id from break_case order by number limit 1",
    });
    await after.act("operator/ann", rows[0]?.id ?? "", { kind: "comment", text: "back again" });
    const more = await dump();
    await dropEverything();
    expect((await start(log.world)).opened.how).toBe("restored");
    expect(await dump()).toEqual(more);
  });

  it("is the same when only the books come back entry by entry, with starts in between", async () => {
    const log = makeLog();
    const before = await start(log.world);
    await sayMuch(log, before);
    await before.statements.follow();
    const dumped = await dump();
    await dropEverything();
    await makeJournal(schema.database, path).open();
    for (const one of publish(log.world)) {
      const { keeper } = startBooks(schema.sql, log.world, { policy });
      await keeper.take([one]);
      const journal = makeJournal(schema.database, path);
      expect((await journal.open()).how).toBe("continued");
      await openTestDesk(schema, log.world, keeper, () => nowMs, journal.flush).statements.follow();
    }
    expect(await dump()).toEqual(dumped);
  });
});

describe("a journal", () => {
  it("loses nothing when the process dies between its file and the commit", async () => {
    const log = makeLog();
    const before = await start(log.world);
    await sayMuch(log, before);
    const dumped = await dump();
    // Written and never committed: cut off, and written again from the outbox.
    appendFileSync(path, `${"A".repeat(43)}= {"o":"I","t":"break_case","row":{"id":"gone"}}\n{"o"`);
    const journal = makeJournal(schema.database, path);
    expect((await journal.open()).how).toBe("continued");
    const id = (await schema.sql.query<{ id: string }>({ text: "select id from break_case" }))
      .rows[0]?.id;
    await before.act("operator/ann", id ?? "", { kind: "comment", text: "one more" });
    await journal.flush();
    expect(readFileSync(path, "utf8")).not.toContain("gone");
    const now = await dump();
    expect(now["break_event"]).toHaveLength((dumped["break_event"]?.length ?? 0) + 1);
    await dropEverything();
    await start(log.world);
    expect(await dump()).toEqual(now);
  });

  it.each([
    ["a changed byte", (text: string) => text.replace("it is known", "it is knowm")],
    ["a line left out", (text: string) => text.replace(/\n[^\n]*\n/, "\n")],
    ["its end cut off", (text: string) => text.slice(0, -100)],
    ["another file in its place", () => "something else\n"],
  ])("with %s is put aside, and begun anew from the tables", async (_what, change) => {
    const log = makeLog();
    const before = await start(log.world);
    await sayMuch(log, before);
    await before.statements.follow();
    writeFileSync(path, change(readFileSync(path, "utf8")));
    const journal = makeJournal(schema.database, path);
    const opened = await journal.open();
    expect(opened.how).toBe("begun");
    expect(opened.damaged).toContain(path);
    const dumped = await dump();
    await dropEverything();
    await start(log.world);
    expect(await dump()).toEqual(dumped);
  });

  it("that was changed is never restored from: nothing is begun in its place", async () => {
    const log = makeLog();
    await sayMuch(log, await start(log.world));
    writeFileSync(path, readFileSync(path, "utf8").replace("it is known", "it is knowm"));
    await dropEverything();
    await expect(makeJournal(schema.database, path).open()).rejects.toMatchObject({
      code: "journal-damaged",
      message: expect.stringContaining("was changed"),
    });
  });

  it("has each change once, however many write at the same time", async () => {
    const log = makeLog();
    const one = await start(log.world);
    await sayMuch(log, one);
    const other = await start(log.world);
    const { rows } = await schema.sql.query<{ id: string }>({ text: "select id from break_case" });
    const texts = Array.from({ length: 20 }, (_, n) => `comment ${n}`);
    await Promise.all(
      texts.map((text, n) =>
        (n % 2 === 0 ? one : other).act(`operator/p${n}`, rows[0]?.id ?? "", {
          kind: "comment",
          text,
        }),
      ),
    );
    expect(await isWritten()).toBe(true);
    const lines = readFileSync(path, "utf8").split("\n");
    for (const text of texts) {
      const own = lines.filter(
        (line) => line.includes(`"${text}"`) && line.includes("break_event"),
      );
      expect([text, own.length]).toEqual([text, 1]);
    }
    const dumped = await dump();
    await dropEverything();
    await start(log.world);
    expect(await dump()).toEqual(dumped);
  });
});
