// A lane that stops at a command, on a real Postgres: it finds the command, says which, and goes on
// without it once two operators have said so; also another writer that begins from what is stored. What
// fails here are the test's own maps of keys and participants.
import {
  formatTime,
  laneTopic,
  readNote,
  readStatement,
  refusalSchema,
  statementText,
  type Refusal,
} from "@sealane/protocol";
import { makeWorld, origin, say, signed, testKeys, type TestKey } from "@sealane/rules/testing";
import { afterEach, beforeEach, describe, expect, inject, test, vi } from "vitest";
import type { RawCommand } from "./open-command.ts";
import { openTestSchema, startTestLane, type TestLane } from "./test-lane.ts";

/** The fail point: a map that cannot be asked for one key. */
class FailingMap<V> extends Map<string, V> {
  readonly #poison: string;
  constructor(entries: Iterable<readonly [string, V]>, poison: string) {
    super(entries);
    this.#poison = poison;
  }
  override get(key: string): V | undefined {
    if (key === this.#poison) throw new Error("fail point");
    return super.get(key);
  }
}

const poison = "poison.example";
const world = makeWorld();
const history = world.keyLog.history();
const cited = { size: history.size, root: history.roots[history.size] ?? "" };
const material = ({ name, seed, vkey, key }: TestKey) =>
  ({ name, seed, vkey, type: 1, keyId: key.keyId, publicKey: key.publicKey }) as const;

const frame = (kind: string, { note }: { readonly note: string }): string =>
  JSON.stringify({ v: 1, kind, note });

/** A world of its own for the bytes: what the lane is given. */
const makeCommands = () => {
  const from = makeWorld();
  const keys = from.keys();
  const sheet = say.rateSheet(keys, say.makeSheet({ number: 1 }, from.nowMs()));
  const priced = { sheet: sheet.body, hash: say.sheetHash(sheet) };
  const intent = (key: string, payee?: string) => {
    const terms = say.makeTerms(priced, from.nowMs(), { key });
    const to = payee === undefined ? terms.payee : { ...terms.payee, participant: payee };
    return say.intent(keys, { ...terms, payee: to });
  };
  const fund = (participant: string, currency: string, amount: string) =>
    say.advance(keys, { key: `${participant} ${currency}`, participant, currency, amount });
  const good = [intent("good-1"), intent("good-2")] as const;
  const bad = intent("bad", poison);
  const lines = [
    frame("rate-sheet", sheet),
    frame("advance", fund("hk-wallet.example", "HKD", "1000000.00")),
    frame("advance", fund("fx-desk.example", "PHP", "10000000.00")),
    frame("intent", good[0]),
    frame("intent", bad),
    frame("intent", good[1]),
  ];
  const records: RawCommand[] = lines.map((value, at) => ({
    offset: BigInt(at),
    value: Buffer.from(value),
  }));
  return { records, good, bad, nowMs: from.nowMs() + 1_000 };
};
const badAt = 4n;

let schema: Awaited<ReturnType<typeof openTestSchema>>;
let lane: TestLane | undefined;
beforeEach(async () => {
  schema = await openTestSchema(inject("databaseUrl"));
});
afterEach(async () => {
  await lane?.stop();
  await schema.close();
});

const start = (commands: ReturnType<typeof makeCommands>, broken: "deciding" | "reading") => {
  const keys = world.keys();
  const failing =
    broken === "deciding"
      ? { ...keys, participants: new FailingMap(keys.participants, poison) }
      : {
          ...keys,
          keys: new FailingMap(keys.keys, `${testKeys.hk2.name}+${testKeys.hk2.key.keyId}`),
        };
  lane = startTestLane({
    sql: schema.sql,
    dir: schema.dir,
    origin,
    keys: () => ({ keys: failing, cited }),
    history: () => history,
    clock: () => commands.nowMs,
    entryKey: material(testKeys.entry),
    checkpointKey: material(testKeys.checkpoint),
    records: commands.records,
  });
  return lane;
};

const eventually = <T>(look: () => T): Promise<T> => vi.waitFor(look, { timeout: 10_000 });

const untilStopped = (at: TestLane) =>
  eventually(() => {
    const stopped = at.writer.stopped();
    expect(stopped).toBeDefined();
    return stopped as NonNullable<typeof stopped>;
  });

const idsIn = async (from: string): Promise<string[]> => {
  const { rows } = await schema.sql.query<{ id: string }>({ text: `select id from ${from}` });
  return rows.map(({ id }) => id);
};

type Say = { readonly offset?: string; readonly hash?: string; readonly by?: readonly TestKey[] };

const decision = (
  stopped: { readonly offset: bigint; readonly hash: string },
  { offset = String(stopped.offset), hash = stopped.hash, by }: Say = {},
): string => {
  const body = { lane: 0, offset, hash, reason: "fail-point" };
  return signed(statementText(origin, "set-aside", body), by ?? [testKeys.alice, testKeys.bob]);
};

/** What the payer was told, of the refusals among it. */
const refusalsTo = (at: TestLane, participant: string): Refusal[] =>
  at.published
    .filter(({ topic }) => topic === `inbox.${participant}`)
    .flatMap(
      ({ value }) => (JSON.parse(value.toString()) as { items?: { note: string }[] }).items ?? [],
    )
    .flatMap(({ note }) => {
      const parsed = readNote(note ?? "");
      const read = parsed.ok ? readStatement(parsed.note, "refusal", refusalSchema) : undefined;
      return read?.ok === true ? [read.statement.body] : [];
    });

const letters = (at: TestLane): string[] =>
  at.published
    .filter(({ topic }) => topic === "deadletter.ledger")
    .map(({ value }) => (JSON.parse(value.toString()) as { code: string }).code);

describe("a lane that stops at a command", () => {
  test("decides what is before it, and names it by offset and hash", async () => {
    const commands = makeCommands();
    const at = start(commands, "deciding");
    const stopped = await untilStopped(at);
    expect(stopped).toMatchObject({ offset: badAt, detail: "fail point" });
    expect(at.writer.trouble()).toContain(`stopped at offset ${badAt} of ${laneTopic(0)}`);
    expect(at.errors).toContainEqual(expect.objectContaining({ offset: String(badAt) }));
    const { good } = commands;
    expect(await idsIn("open_transfer")).toEqual([good[0].body.id]);
    // What it holds back is what follows; the time goes on.
    commands.nowMs += 61_000;
    await vi.waitFor(
      async () => expect(await idsIn("ended_transfer where outcome = 'expired'")).toHaveLength(1),
      { timeout: 10_000 },
    );
    expect(await idsIn("open_transfer")).toEqual([]);
    expect(at.writer.stopped()?.offset).toBe(badAt);
  });

  test("goes on without it when two operators say so, with a signed refusal", async () => {
    const commands = makeCommands();
    const at = start(commands, "deciding");
    const stopped = await untilStopped(at);
    expect(await at.desk.take(decision(stopped), at.writer.stopped())).toEqual({
      ok: true,
      offset: String(badAt),
    });
    await eventually(() => {
      expect(at.writer.state()?.open.has(commands.good[1].body.id)).toBe(true);
    });
    expect(at.writer.stopped()).toBeUndefined();
    const { id, request } = commands.bad.body;
    const refusal = {
      id,
      request,
      code: "set-aside",
      final: true,
      time: formatTime(commands.nowMs),
    };
    await eventually(() =>
      expect(refusalsTo(at, "hk-wallet.example")).toContainEqual(expect.objectContaining(refusal)),
    );
    expect(letters(at)).toContain("set-aside");
    const { rows } = await schema.sql.query<{ input_offset: bigint }>({
      text: "select input_offset from set_aside",
    });
    expect(rows).toEqual([{ input_offset: badAt }]);
    // Sent again it gets the stored refusal, and stops nothing.
    await at.push(frame("intent", commands.bad));
    await eventually(() =>
      expect(refusalsTo(at, "hk-wallet.example").length).toBeGreaterThanOrEqual(2),
    );
    expect(at.writer.trouble()).toBeUndefined();
  });

  test("takes no decision of one operator, of others, or about another command", async () => {
    const at = start(makeCommands(), "deciding");
    const stopped = await untilStopped(at);
    const { alice, bob, stranger, hk } = testKeys;
    const take = (changes: Say) => at.desk.take(decision(stopped, changes), at.writer.stopped());
    for (const by of [[alice], [alice, alice], [alice, stranger], [hk, bob]]) {
      expect(await take({ by })).toMatchObject({ code: "signature-missing" });
    }
    expect(await take({ offset: "3" })).toMatchObject({ code: "not-stopped-there" });
    expect(await take({ hash: `${"A".repeat(43)}=` })).toMatchObject({ code: "not-stopped-there" });
    expect(await at.desk.take(decision(stopped), undefined)).toMatchObject({
      code: "not-stopped-there",
    });
    expect(await at.desk.take("rubbish", stopped)).toMatchObject({ code: "statement-malformed" });
    const { rows } = await schema.sql.query({ text: "select 1 from set_aside_decision" });
    expect(rows).toEqual([]);
  });

  test("does not stop there again when it begins from what is stored", async () => {
    const commands = makeCommands();
    const first = start(commands, "deciding");
    const stopped = await untilStopped(first);
    await first.stop();
    // Stored, and the writer died before it could follow.
    expect(await first.desk.take(decision(stopped), stopped)).toMatchObject({ ok: true });
    const second = start(commands, "deciding");
    await eventually(() => {
      expect(second.writer.state()?.open.has(commands.good[1].body.id)).toBe(true);
    });
    expect(second.errors).toEqual([]);
    await eventually(() =>
      expect(refusalsTo(second, "hk-wallet.example")).toContainEqual(
        expect.objectContaining({ id: commands.bad.body.id, code: "set-aside" }),
      ),
    );
  });

  test("sets aside what cannot even be read, and answers nobody", async () => {
    const commands = makeCommands();
    const keys = world.keys();
    const unreadable = say.intent(keys, commands.good[0].body, { signers: [testKeys.hk2] });
    commands.records[Number(badAt)] = {
      offset: badAt,
      value: Buffer.from(frame("intent", unreadable)),
    };
    const at = start(commands, "reading");
    const stopped = await untilStopped(at);
    expect(stopped.offset).toBe(badAt);
    expect(await at.desk.take(decision(stopped), stopped)).toMatchObject({ ok: true });
    await eventually(() => {
      expect(at.writer.state()?.open.has(commands.good[1].body.id)).toBe(true);
    });
    await eventually(() => expect(letters(at)).toContain("set-aside"));
    expect(refusalsTo(at, "hk-wallet.example")).toEqual([]);
  });
});
