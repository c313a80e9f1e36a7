// What the desk says of its own chain: what the lane's rules record, what is sealed, and nothing twice.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chainStatementSchema, commandSchema, readNote, readStatement } from "@sealane/protocol";
import {
  fx,
  genesisMs,
  makeFundedWorld,
  origin,
  policy,
  say as make,
  testKeys,
  type World,
} from "@sealane/rules/testing";
import { signNoteLine } from "@sealane/tlog";
import { afterAll, expect, test } from "vitest";
import { makeOwnChain } from "./own-chain.ts";
import { makeStatements } from "./statements.ts";
import { makeTestDesk } from "./test-desk.ts";

const directory = mkdtempSync(join(tmpdir(), "sealane-statements-"));
afterAll(() => rmSync(directory, { recursive: true }));
let count = 0;

const follow = (world: World) => {
  count += 1;
  const { name, seed } = testKeys.fx;
  const path = join(directory, String(count));
  const { desk, file } = makeTestDesk({ origin, ...testKeys.fx }, path, genesisMs);
  const { state } = file;
  const sent: string[] = [];
  const witnessed = { size: 0, count: 3 };
  const statements = makeStatements({
    participant: fx,
    origin,
    lane: 0,
    policy,
    state,
    signer: { signLine: (text) => Promise.resolve(signNoteLine(name, seed, text)) },
    producer: {
      send: (records) => {
        for (const { value } of records) {
          const command = commandSchema.parse(JSON.parse(String(value)));
          if (command.kind === "statement") sent.push(command.note);
        }
        return Promise.resolve();
      },
    },
    checkpoint: () => Promise.resolve(world.checkpoint(witnessed.size, witnessed.count)),
    clock: world.nowMs,
    log: { warn: () => undefined },
  });
  const chain = makeOwnChain({
    participant: fx,
    origin,
    state,
    desk,
    keys: { atLeast: () => Promise.resolve(world.keyLog.history()) },
    onLogged: () => undefined,
    log: { warn: () => undefined },
  });
  let read = 0;
  return {
    sent,
    state,
    statements,
    /** The desk has read all, and witnesses have seen so much. */
    catchUp: async (size = world.entries.length, cosigned = 3): Promise<void> => {
      for (; read < world.entries.length; read += 1) await chain.take(world.entries[read] ?? "");
      Object.assign(witnessed, { size, count: cosigned });
    },
  };
};

/** The lane's rules take it, as signed. */
const log = (world: World, note: string) => {
  const read = readNote(note);
  const said = read.ok ? readStatement(read.note, "statement", chainStatementSchema) : undefined;
  if (said?.ok !== true) throw new Error("the desk says what it cannot");
  const command = make.chainStatement(world.keys(), said.statement.body, {
    signers: [testKeys.fx],
  });
  expect(world.run([{ ...command, note }]).outcome.entries).toMatchObject([
    { outcome: "recorded", inner: note },
  ]);
};

test("states its newest sealed entry, on from its last statement, and the lane records it", async () => {
  const world = makeFundedWorld();
  world.transfer({ key: "a" });
  const desk = follow(world);
  await desk.catchUp();
  expect(await desk.statements.say()).toMatchObject({ participant: fx, from: 0, to: 2, size: 4 });
  log(world, desk.sent[0] ?? "");
  await desk.catchUp();
  expect(desk.state.stated).toMatchObject({ to: 2, n: 3 });
  // A statement alone is answered by no other.
  expect(await desk.statements.say()).toBeUndefined();
  world.transfer({ key: "b" });
  await desk.catchUp();
  expect(await desk.statements.say()).toMatchObject({ from: 3, to: 4 });
  log(world, desk.sent[1] ?? "");
});

test("says nothing that no quorum has cosigned", async () => {
  const world = makeFundedWorld();
  const desk = follow(world);
  expect(await desk.statements.say()).toBeUndefined();
  await desk.catchUp(world.entries.length - 1);
  expect(await desk.statements.say()).toBeUndefined();
  await desk.catchUp(world.entries.length, 2);
  expect(await desk.statements.say()).toBeUndefined();
  await desk.catchUp();
  expect(await desk.statements.say()).toMatchObject({ to: 1 });
});
