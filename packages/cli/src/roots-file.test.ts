// Pinned root keys: the file, and what an audit and a receipt's verdict make of them.
import { hk, makeFundedWorld, policy, testKey } from "@sealane/rules/testing";
import { utf8 } from "@sealane/tlog";
import { describe, expect, it } from "vitest";
import { auditLog } from "./audit-log.ts";
import { parseRoots } from "./roots-file.ts";
import { memoryLog } from "./testing/memory-log.ts";
import { keysOf, statuses } from "./testing/receipts.ts";
import { verifyReceipt } from "./verify-receipt.ts";

const world = makeFundedWorld();
world.transfer({ key: "paid" });
const last = world.keyLog.history().states.at(-1);
const pinned = [...(last?.participants ?? [])].map(([name, { rootKey }]) => `${name} ${rootKey}`);
const stranger = testKey("somebody-else").vkey;

const audit = (text: string) =>
  auditLog({ log: memoryLog(world), policy, roots: parseRoots(text) });
const verify = (text: string) =>
  verifyReceipt(utf8(world.receipt(3)), {
    policy,
    keys: keysOf(world, []),
    roots: parseRoots(text),
  });

describe("a log whose participants entered with the pinned roots", () => {
  it("stands, and a receipt says so", async () => {
    const text = `# pinned at the opening\n\n${pinned.join("\n")}\n`;
    expect(await audit(text)).toMatchObject({ ok: true });
    expect(verify(text).checks.keys).toMatchObject({
      status: "checked",
      detail: expect.stringContaining("roots are as pinned") as string,
    });
  });
});

describe("a log in which somebody else stands for a participant", () => {
  const other = pinned.map((line) => (line.startsWith(`${hk} `) ? `${hk} ${stranger}` : line));
  it("does not stand", async () => {
    expect(await audit(other.join("\n"))).toMatchObject({ ok: false, code: "root-mismatch" });
    expect(statuses(verify(other.join("\n")))).toMatchObject({ keys: "root-mismatch" });
  });
});

describe("a log with a participant that nobody pinned", () => {
  it("does not stand", async () => {
    const fewer = pinned.slice(1).join("\n");
    expect(await audit(fewer)).toMatchObject({ ok: false, code: "root-unpinned", entries: 0 });
    expect(verify(fewer).ok).toBe(false);
  });
});

it.each([
  ["one word", hk],
  ["no key", `${hk} root`],
  ["more words", `${pinned[0]} extra`],
  ["a participant twice", `${pinned[0]}\n${pinned[0]}`],
])("a file with %s is refused", (_what, text) => {
  expect(() => parseRoots(text)).toThrow(expect.objectContaining({ code: "roots-malformed" }));
});
