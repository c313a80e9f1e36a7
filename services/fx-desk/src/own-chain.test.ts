// What the desk accepts of its own chain, and every lie of an operator that stops its cosigning. The
// forged logs fit in every number and hash: what is refused is refused for its meaning.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { noteHash, type InboxBatch } from "@sealane/protocol";
import {
  fx,
  genesisMs,
  makeFundedWorld,
  origin,
  putTogether,
  say,
  signPiece,
  takeApart,
  testKeys,
  type Piece,
  type World,
} from "@sealane/rules/testing";
import { afterAll, describe, expect, test } from "vitest";
import { makeInbox } from "./inbox.ts";
import { LedgerFault, makeOwnChain } from "./own-chain.ts";
import { openStateFile } from "./state-file.ts";
import { makeTestDesk } from "./test-desk.ts";

const directory = mkdtempSync(join(tmpdir(), "sealane-own-chain-"));
afterAll(() => rmSync(directory, { recursive: true }));
let count = 0;

/** A reader that has signed the world's sheets itself, unless told otherwise. */
const readerOf = (world: World, knowsSheets = true) => {
  count += 1;
  const { desk, file } = makeTestDesk(
    { origin, ...testKeys.fx },
    join(directory, String(count)),
    genesisMs,
  );
  const { state } = file;
  state.unknownUpTo = 0;
  if (knowsSheets) {
    const { note, body } = world.sheet();
    state.sheets.push({ number: body.number, pair: "HKD/PHP", hash: noteHash(note), note });
  }
  const logged: number[] = [];
  const chain = makeOwnChain({
    participant: fx,
    origin,
    state,
    desk,
    keys: { atLeast: () => Promise.resolve(world.keyLog.history()) },
    onLogged: () => logged.push(state.sheets.at(-1)?.seq ?? -1),
    log: { warn: () => undefined },
  });
  const takeAll = async (notes: readonly string[]): Promise<void> => {
    for (const note of notes) await chain.take(note);
  };
  return { chain, takeAll, state, logged };
};

/** 0, 1: advances (1 is the desk's); 2: its sheet; 3, 4: transfers under it. */
const makeLog = (): World => {
  const world = makeFundedWorld();
  world.transfer({ key: "a" });
  world.transfer({ key: "b", fixed: "receive", amount: "500.00" });
  return world;
};

const own = (notes: readonly string[]): string[] =>
  notes.filter((note) =>
    takeApart(note).context.chains.some(({ participant }) => participant === fx),
  );

/** The log with one entry changed, put together again as a dishonest operator would. */
const forge = (world: World, at: number, change: (piece: Piece) => Piece): string[] =>
  putTogether(
    world.entries.map(takeApart).map((piece, seq) => (seq === at ? change(piece) : piece)),
  );

describe("an honest chain", () => {
  test("is taken whole, and marks the sheet as logged", async () => {
    const world = makeLog();
    const { takeAll, state, logged } = readerOf(world);
    await takeAll(own(world.entries));
    expect(state.inbox.chain).toBe(4);
    expect(logged).toEqual([2]);
  });

  test("may be told twice", async () => {
    const world = makeLog();
    const { takeAll, state } = readerOf(world);
    const notes = own(world.entries);
    await takeAll([...notes, ...notes]);
    expect(state.inbox.chain).toBe(4);
  });

  test("includes ends without postings, and a withdrawal of our own", async () => {
    const world = makeLog();
    const rejected = world.intent({ key: "c" });
    world.run([rejected]);
    world.run([world.reject(rejected.body.id)]);
    world.run([say.rateWithdrawal(world.keys(), world.sheet().body)]);
    const { takeAll, state } = readerOf(world);
    state.sheets[0]!.withdrawn = true;
    await takeAll(own(world.entries));
    expect(state.inbox.chain).toBe(6);
  });

  test("of before the state file was made is believed without knowing its sheets", async () => {
    const world = makeLog();
    const { takeAll, state } = readerOf(world, false);
    state.unknownUpTo = 1_000;
    await takeAll(own(world.entries));
    expect(state.inbox.chain).toBe(4);
  });
});

describe("alarm", () => {
  const faults: [string, (world: World) => readonly string[], string][] = [
    ["a gap", (world) => own(world.entries).toSpliced(1, 1), "is missing"],
    [
      "another history",
      (world) => {
        const other = makeFundedWorld();
        other.transfer({ key: "other" });
        return [...own(other.entries), ...own(world.entries).slice(3)];
      },
      "broken",
    ],
    [
      "a conversion that the sheet does not give",
      (world) =>
        own(
          forge(world, 3, ({ context, inner }) => ({
            context,
            inner: inner.replace('"amount":"7235.50"', '"amount":"7235.51"'),
          })),
        ),
      "received",
    ],
    [
      "a statement of ours that we did not sign",
      (world) =>
        own(
          forge(world, 2, ({ context, inner }) => ({
            context,
            inner: inner.replace('"rate":"7.25"', '"rate":"7.35"'),
          })),
        ),
      "signature-wrong",
    ],
    [
      "an entry that another key signed",
      (world) =>
        own(world.entries).with(1, signPiece(takeApart(world.entries[2]!), testKeys.stranger)),
      "signature-missing",
    ],
    ["an entry that cannot be read", () => ["rubbish"], "cannot be read"],
  ];
  test.each(faults)("on %s", async (_what, notes, told) => {
    const world = makeLog();
    const { takeAll } = readerOf(world);
    const taken = takeAll(notes(world));
    await expect(taken).rejects.toThrow(told);
    await expect(taken).rejects.toBeInstanceOf(LedgerFault);
  });

  test("on a sheet under our key that this desk did not sign", async () => {
    const world = makeLog();
    const { takeAll } = readerOf(world, false);
    await expect(takeAll(own(world.entries))).rejects.toThrow("we did not sign it");
  });

  test("on a transfer under a sheet that this desk did not sign", async () => {
    const world = makeLog();
    const { takeAll, state } = readerOf(world);
    await takeAll(own(world.entries).slice(0, 2));
    state.sheets.length = 0;
    await expect(takeAll(own(world.entries).slice(2))).rejects.toThrow("cites a sheet");
  });

  test("on a withdrawal that we did not ask for", async () => {
    const world = makeLog();
    world.run([say.rateWithdrawal(world.keys(), world.sheet().body)]);
    const { takeAll } = readerOf(world);
    await expect(takeAll(own(world.entries))).rejects.toThrow("not by us");
  });
});

describe("the inbox", () => {
  const batches = (notes: readonly string[]): InboxBatch[] =>
    notes.map((note, n) => ({
      v: 1,
      type: "batch",
      lane: 0,
      to: fx,
      n,
      time: "2026-11-22T07:00:00.000Z",
      items: [{ type: "entry", seq: takeApart(note).context.seq, note }],
    }));
  const bytes = (message: unknown) => Buffer.from(JSON.stringify(message));

  const inboxOf = (world: World, missed: readonly InboxBatch[] | undefined) => {
    const { chain, state } = readerOf(world);
    const asked: number[] = [];
    const source = missed && {
      after: (n: number) => {
        asked.push(n);
        return Promise.resolve(missed.filter((batch) => batch.n > n).slice(0, 2));
      },
      close: () => undefined,
    };
    const log = { warn: () => undefined };
    return {
      inbox: makeInbox({ participant: fx, state, chain, missed: source, log }),
      state,
      asked,
    };
  };

  test("fetches what it missed, in order, before it goes on", async () => {
    const world = makeLog();
    const all = batches(own(world.entries));
    const { inbox, state, asked } = inboxOf(world, all);
    await inbox.handle(bytes(all[0]));
    await inbox.handle(bytes(all[3]));
    expect(state.inbox).toMatchObject({ n: 4, chain: 4 });
    expect(asked).toEqual([0]);
  });

  test("without a token to fetch with, a gap of the own chain is the alarm", async () => {
    const world = makeLog();
    const all = batches(own(world.entries));
    const { inbox } = inboxOf(world, undefined);
    await inbox.handle(bytes(all[0]));
    await expect(inbox.handle(bytes(all[3]))).rejects.toThrow("is missing");
  });

  test.each([
    ["nothing", null, "message-empty"],
    ["what is not JSON", Buffer.from("{"), "message-malformed"],
    ["what is not UTF-8", Buffer.from([0xff]), "message-malformed"],
    ["another shape", Buffer.from("{}"), "message-schema"],
    [
      "what is another's",
      bytes({
        ...batches([])[0],
        v: 1,
        type: "batch",
        lane: 0,
        to: "ph-wallet.example",
        n: 0,
        time: "2026-11-22T07:00:00.000Z",
        items: [],
      }),
      "not-ours",
    ],
  ])("refuses %s", async (_what, value, code) => {
    const { inbox } = inboxOf(makeLog(), undefined);
    expect(await inbox.handle(value)).toMatchObject({ ok: false, code });
  });

  test("skips seals without reading them", async () => {
    const { inbox } = inboxOf(makeLog(), undefined);
    expect(await inbox.handle(Buffer.from('{"v":1,"type":"seal", rubbish'))).toEqual({ ok: true });
  });
});

test("a fresh state begins at the time of its making", () => {
  const { state } = openStateFile(join(directory, "fresh"), genesisMs, () => undefined);
  expect(state).toMatchObject({ unknownUpTo: genesisMs / 1_000, inbox: {}, sheets: [] });
});
