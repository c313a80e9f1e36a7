// A window with more legs than an entry of the log takes, the whole way: its nets in parts, instructions
// over HTTP, a simulated bank that books them and signs a statement in parts, the desk, and the books.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { noteSigner } from "@sealane/client";
import { bearerAuth, createHttpApp, startHttp, tokenDigest, type HttpServer } from "@sealane/http";
import { bankStatementSchema, readNote, readStatement } from "@sealane/protocol";
import {
  accountOf,
  cut,
  deadCodes,
  makeRing,
  moreWallet,
  operator,
  fx,
  policy,
  say,
  testKeys,
  type World,
} from "@sealane/rules/testing";
import { startBank, type RunningBank } from "@sealane/simulator";
import { toBase64 } from "@sealane/tlog";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { makeBankFiles } from "./bank-files.ts";
import { mountBanking } from "./banking-routes.ts";
import { makeDesk } from "./desk.ts";
import { makePeriodReader } from "./period-reader.ts";
import { mountSettlement } from "./settlement-routes.ts";
import { makeSettlementReader } from "./settlement-reader.ts";
import { openTestSchema, publish, startBooks, type TestBooks } from "./test-books.ts";

const token = "operator-token-0123456789";
const wallets = 80;
let schema: Awaited<ReturnType<typeof openTestSchema>>;
let http: HttpServer;
let world: World;
let books: TestBooks;
let bank: RunningBank;
const sent: string[] = [];
const directory = mkdtempSync(join(tmpdir(), "sealane-large-window-"));

const bankOf = (): Promise<RunningBank> => {
  const { name, seed, key } = testKeys.bank;
  const id = key.keyId.toString(16).padStart(8, "0");
  const line = `PRIVATE+KEY+${name}+${id}+${toBase64(new Uint8Array([1, ...seed]))}`;
  const owners = [...Array.from({ length: wallets }, (_, n) => moreWallet(n)), fx, operator];
  return startBank({
    bank: "bank.example",
    port: 0,
    token,
    directory,
    accounts: owners.flatMap((owner) =>
      ["HKD", "PHP"].map((currency) => {
        return { owner, account: accountOf(owner, currency), currency };
      }),
    ),
    signing: { signer: noteSigner(line), origin: world.origin },
  });
};

beforeAll(async () => {
  schema = await openTestSchema(inject("databaseUrl"));
  world = makeRing(wallets, "gross");
  cut(world);
  books = startBooks(schema.sql, world, { policy });
  await books.keeper.take(publish(world));
  const tokens = new Map([["operator/ann", tokenDigest(token)]]);
  const app = createHttpApp({ name: "test", auth: { operator: bearerAuth(tokens) } });
  const reader = makeSettlementReader(schema.sql, 0, world.origin);
  const keys = () => world.keys();
  const clock = () => world.nowMs();
  const desk = makeDesk({
    sql: schema.sql,
    lane: 0,
    origin: world.origin,
    books: books.keeper.state,
    keys,
    send: (_topic, value) => {
      sent.push(value);
      return Promise.resolve();
    },
    clock,
  });
  mountSettlement({
    app,
    reader,
    desk,
    files: makeBankFiles(schema.sql),
    books: books.keeper.state,
    keys,
    pending: () => Promise.resolve(new Map()),
    levels: { warnPercent: 80, criticalPercent: 95 },
    clock,
  });
  mountBanking({ app, reader, periods: makePeriodReader(schema.sql, 0), keys, clock });
  http = await startHttp({ app, port: 0 });
  bank = await bankOf();
});
afterAll(async () => {
  await bank.close();
  await http.close();
  await schema.close();
  rmSync(directory, { recursive: true });
});

const headers = { Authorization: `Bearer ${token}` };
type View = {
  status: string;
  nets: { participant: string; status: string; totals: unknown[]; legs: { booked: boolean }[] }[];
  sums: { sum: string }[];
};
const view = async (): Promise<View> =>
  (await (await fetch(`${http.url}/v1/windows/hkd-php/0`, { headers })).json()) as View;

/** What the desk has sent, as the ledger's door hands it to the lane. */
const bodiesOf = (command: string) => {
  const { note, more = [] } = JSON.parse(command) as { note: string; more?: string[] };
  return [note, ...more].map((text) => {
    const read = readNote(text);
    const found = read.ok
      ? readStatement(read.note, "bank-statement", bankStatementSchema)
      : undefined;
    if (found?.ok !== true) throw new Error("no statement");
    return found.statement.body;
  });
};

describe("a window of more legs than an entry takes", () => {
  it("is shown whole: one net for each participant, and sums of zero", async () => {
    const { nets, sums, status } = await view();
    expect(status).toBe("unsettled");
    expect(nets.map(({ participant }) => participant)).toEqual(
      [...Array.from({ length: wallets }, (_, n) => moreWallet(n)), fx, operator].toSorted(),
    );
    const desk = nets.find(({ participant }) => participant === fx);
    expect([desk?.legs.length, desk?.totals.length]).toEqual([2 * wallets, 2]);
    expect(sums.map(({ sum }) => Number(sum))).toEqual([0, 0]);
    const text = "select * from window_differences(0)";
    expect((await schema.sql.query({ text })).rows).toEqual([]);
  });

  it("is paid by its instructions and settled by the bank's statement in parts", async () => {
    const path = `${http.url}/v1/windows/hkd-php/0/instructions`;
    const instructions = new Uint8Array(await (await fetch(path, { headers })).arrayBuffer());
    expect(await bank.take(instructions)).toMatchObject({ ok: true });
    const papers = bank.documents();
    const read = (name: string): Buffer => readFileSync(bank.path(name));
    const notes = papers.filter(({ kind }) => kind === "note").map(({ name }) => read(name));
    expect(notes).toHaveLength(Math.ceil((6 * wallets) / 100));
    const file = read(papers.findLast(({ kind }) => kind === "camt.053")?.name ?? "");
    const answer = await fetch(`${http.url}/v1/bank-statements`, {
      method: "POST",
      headers: {
        ...headers,
        "Content-Type": "application/json",
        "Idempotency-Key": "large-window-0001",
      },
      body: JSON.stringify({
        notes: notes.map((note) => note.toString("utf8")),
        file: file.toString("base64"),
      }),
    });
    expect([answer.status, await answer.json()]).toMatchObject([202, {}]);
    const bodies = bodiesOf(sent[0] ?? "");
    const before = world.entries.length;
    const batch = world.run([
      say.handedIn(bodies.map((body) => say.bankStatement(world.keys(), body))),
    ]);
    expect(deadCodes(batch)).toEqual([]);
    await books.keeper.take(publish(world).slice(before));
    expect(books.faults).toEqual([]);
    const { nets, status } = await view();
    expect(status).toBe("settled");
    expect(nets.every((net) => net.legs.every(({ booked }) => booked))).toBe(true);
    const text = "select * from window_differences(0)";
    expect((await schema.sql.query({ text })).rows).toEqual([]);
  });
});
