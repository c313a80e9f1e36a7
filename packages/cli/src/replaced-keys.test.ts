// A log whose keys were replaced, as it looks to who pinned before and to who pinned since: what was sealed
// under the old key stands, and who has not pinned the new one is told what to do.
import {
  hk,
  lineOf,
  makeReplacedKeys,
  newCheckpoint,
  newKeyLog,
  newPolicy,
  policy,
  recoveredRoot,
  testKeys,
} from "@sealane/rules/testing";
import { composeNote, formatProof, parseNote, parseProof, utf8 } from "@sealane/tlog";
import { describe, expect, it } from "vitest";
import { auditLog } from "./audit-log.ts";
import { memoryLog } from "./testing/memory-log.ts";
import { keysOf, statuses } from "./testing/receipts.ts";
import { verifyReceipt } from "./verify-receipt.ts";

const world = makeReplacedKeys();
const keys = keysOf(world, []);

/** The same checkpoint by the log's new key. */
const resealed = (note: string): string => {
  const { text, signatures } = parseNote(note);
  const cosignatures = signatures.slice(1).map(({ line }) => line);
  return composeNote(text, [lineOf(newCheckpoint, text), ...cosignatures]);
};
const underNewKey = (receipt: string) => {
  const proof = parseProof(receipt);
  return utf8(formatProof({ ...proof, checkpoint: resealed(proof.checkpoint) }));
};

describe("a log whose checkpoint keys were replaced", () => {
  it("stands for who pinned the new lines beside the old ones", async () => {
    const log = memoryLog(world, { checkpoint: resealed(world.checkpoint()) });
    expect(await auditLog({ log, policy: newPolicy })).toMatchObject({ ok: true });
  });

  it("has receipts of before under the old key, of then under the new one", () => {
    const judge = (receipt: Uint8Array) =>
      statuses(verifyReceipt(receipt, { policy: newPolicy, keys }));
    expect(judge(utf8(world.receipt(3, 4)))).toMatchObject({ sealed: "checked", keys: "checked" });
    expect(judge(underNewKey(world.receipt(5)))).toMatchObject({
      sealed: "checked",
      keys: "checked",
    });
  });

  it("is refused where the old key signed what came after it", async () => {
    const report = await auditLog({ log: memoryLog(world), policy: newPolicy });
    expect(report).toMatchObject({ ok: false, code: "lane-unknown" });
    const verdict = verifyReceipt(utf8(world.receipt(5)), { policy: newPolicy, keys });
    expect(statuses(verdict)).toMatchObject({ keys: "lane-unknown" });
  });

  it("tells who pinned before what to ask, and which line to add", async () => {
    const log = memoryLog(world, { checkpoint: resealed(world.checkpoint()) });
    const report = await auditLog({ log, policy });
    expect(report).toMatchObject({ ok: false, code: "log-key-unpinned" });
    expect(JSON.stringify(report)).toContain(`keep the old one: log ${newKeyLog.vkey}`);
    const half = { ...policy, logs: [...policy.logs, { key: newKeyLog.key }] };
    expect(JSON.stringify(await auditLog({ log, policy: half }))).toContain(
      `keep the old one: log ${newCheckpoint.vkey}`,
    );
    const receipt = underNewKey(world.receipt(5));
    expect(statuses(verifyReceipt(receipt, { policy: half, keys }))).toMatchObject({
      sealed: "log-key-unpinned",
    });
  });

  it("is refused where the key log's old key goes on signing it", async () => {
    const { text, signatures } = parseNote(world.keyCheckpoint());
    const cosignatures = signatures.slice(1).map(({ line }) => line);
    const keyCheckpoint = composeNote(text, [lineOf(testKeys.keyLog, text), ...cosignatures]);
    const log = memoryLog(world, { checkpoint: resealed(world.checkpoint()), keyCheckpoint });
    expect(await auditLog({ log, policy: newPolicy })).toMatchObject({
      code: "log-key-superseded",
    });
  });
});

describe("a lost root key that operators replaced", () => {
  const states = world.keyLog.history().states;
  const first = new Map<string, string>();
  for (const { participants } of states) {
    for (const [name, { rootKey }] of participants) if (!first.has(name)) first.set(name, rootKey);
  }
  const at = states.at(-1)?.participants.get(hk)?.recoveredAt;
  const log = memoryLog(world, { checkpoint: resealed(world.checkpoint()) });

  it("fails who pinned the old one, says where, and stands once it is pinned anew", async () => {
    const report = await auditLog({ log, policy: newPolicy, roots: first });
    expect(report).toMatchObject({
      ok: false,
      code: "root-replaced",
      detail: expect.stringContaining(`root replaced at key-log position ${at}`) as string,
    });
    const anew = new Map([...first, [hk, recoveredRoot.vkey]]);
    expect(await auditLog({ log, policy: newPolicy, roots: anew })).toMatchObject({ ok: true });
  });
});
