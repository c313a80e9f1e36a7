// What a provider says of its own chain, and when it has nothing to say.
import { chainStatementSchema, readNote, readStatement } from "@sealane/protocol";
import { ph, testKeys } from "@sealane/rules/testing";
import { composeNote, signNoteLine, toBase64 } from "@sealane/tlog";
import { expect, test } from "vitest";
import { makeStatementDesk } from "./statement-desk.ts";
import type { ChainEntry, InboxPosition } from "./view-store.ts";

const leaf = (n: number): Uint8Array => new Uint8Array(32).fill(n);

const makeDesk = () => {
  const chain: ChainEntry[] = [];
  const position: InboxPosition = {
    lane: 0,
    nextOffset: 0n,
    nextN: 0,
    nextChain: 0,
    sealedTo: 0,
    creditedTo: 0,
  };
  const said: object[] = [];
  let nowMs = 0;
  const { name, seed } = testKeys.ph;
  const desk = makeStatementDesk({
    participant: ph,
    origin: "sealane.example/2026/0",
    signOwn: (text) => Promise.resolve(composeNote(text, [signNoteLine(name, seed, text)])),
    chain,
    position,
    clock: () => nowMs,
    produce: (command) => {
      const note = readNote(command["note"] as string);
      const read = note.ok ? readStatement(note.note, "statement", chainStatementSchema) : note;
      said.push(read.ok ? read.statement.body : read);
      nowMs += 1;
      return Promise.resolve();
    },
    log: { warn: () => undefined },
  });
  return {
    desk,
    said,
    /** Entries up to n, of which those below `sealedTo` are sealed. */
    grow: (upTo: number, sealedTo: number): void => {
      for (let n = position.nextChain; n <= upTo; n += 1) {
        const seq = 10 * n;
        chain.push({
          lane: 0,
          n,
          seq,
          leafHash: leaf(n),
          transferId: undefined,
          owesCredit: false,
        });
        position.nextChain = n + 1;
      }
      position.sealedTo = sealedTo;
    },
    say: () => desk.sayNow(0, new AbortController().signal),
  };
};

test("states its newest sealed entry, from where the last statement ended", async () => {
  const { desk, said, grow, say } = makeDesk();
  grow(3, 3);
  expect(await say()).toMatchObject({ statement: { to: 2 }, n: -1 });
  const head = toBase64(leaf(2));
  expect(said).toEqual([{ participant: ph, from: 0, to: 2, head, size: 21 }]);
  desk.stated({ participant: ph, from: 0, to: 2, head, size: 21 }, 4);
  grow(6, 7);
  await say();
  expect(said[1]).toMatchObject({ from: 3, to: 6, head: toBase64(leaf(6)), size: 61 });
});

test("says nothing before anything is sealed, and nothing of a statement alone", async () => {
  const { desk, said, grow, say } = makeDesk();
  expect(await say()).toBeUndefined();
  grow(0, 0);
  expect(await say()).toBeUndefined();
  grow(1, 1);
  await say();
  const statement = { participant: ph, from: 0, to: 0, head: toBase64(leaf(0)), size: 1 };
  desk.stated(statement, 1);
  grow(1, 2);
  expect(await say()).toEqual({ statement, n: 1 });
  expect(said).toHaveLength(1);
});
