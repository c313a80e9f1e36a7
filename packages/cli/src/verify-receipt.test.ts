import {
  hk,
  lineOf,
  makeFundedWorld,
  makeLog,
  origin,
  ph,
  policy,
  policyText,
  takeApart,
  testKey,
  testKeys,
  witnessKeys,
  type World,
} from "@sealane/rules/testing";
import {
  cosignLine,
  formatProof,
  formatVerifierKey,
  parsePolicy,
  parseProof,
  utf8,
} from "@sealane/tlog";
import { describe, expect, it } from "vitest";
import { keysOf as copyOf, statuses, withLines } from "./testing/receipts.ts";
import { verifyReceipt, type KeysCopy, type Verdict } from "./verify-receipt.ts";

const sheetNote = (world: World, place = 2): string => takeApart(world.entries[place] ?? "").inner;
const keysOf = (world: World, sheets = [sheetNote(world)]): KeysCopy => copyOf(world, sheets);

const verify = (receipt: string, keys?: KeysCopy): Verdict =>
  verifyReceipt(utf8(receipt), { policy, keys });

/** A world whose entry 3 is a transfer of 1000.00 HKD. */
const makePaid = (): World => {
  const world = makeFundedWorld();
  world.transfer({ key: "paid" });
  return world;
};

describe("an honest receipt", () => {
  it("stands: sealed, keys, parties, policy and conversion are checked", () => {
    const world = makePaid();
    const verdict = verify(world.receipt(3), keysOf(world));
    expect(statuses(verdict)).toEqual({
      sealed: "checked",
      keys: "checked",
      parties: "checked",
      policy: "checked",
      conversion: "checked",
      disclosures: "not checked",
    });
    expect(verdict.ok).toBe(true);
    expect(verdict.facts).toMatchObject({
      log: origin,
      position: 3,
      outcome: "committed",
      payer: hk,
      payee: ph,
      sent: { currency: "HKD", amount: "1000.00" },
      fees: [{ currency: "HKD", amount: "2.00" }],
      received: { currency: "PHP", amount: "7235.50" },
    });
  });

  it("stands at every place of trees of every size", () => {
    const world = makeLog();
    const keys = keysOf(world);
    for (let size = 1; size <= world.entries.length; size += 1) {
      for (let place = 0; place < size; place += 1) {
        expect(verify(world.receipt(place, size), keys).ok, `${place} of ${size}`).toBe(true);
      }
    }
  });

  it("of an entry that moved no money has no policy and no conversion to check", () => {
    const world = makeLog();
    const kinds = [
      [4, "rejection", "rejected"],
      [5, "cancellation", "cancelled"],
      [6, "credited", "recorded"],
      [7, "rate-sheet", "recorded"],
      [10, "transfer", "expired"],
    ] as const;
    for (const [place, kind, outcome] of kinds) {
      const verdict = verify(world.receipt(place), keysOf(world));
      expect(verdict.facts).toMatchObject({ kind, outcome });
      expect(statuses(verdict)).toMatchObject({
        parties: "checked",
        policy: "not checked",
        conversion: "not checked",
      });
    }
  });

  it("stands without a copy of the key log, but then only for its seal", () => {
    const world = makePaid();
    const verdict = verify(world.receipt(3));
    expect(verdict.ok).toBe(true);
    expect(statuses(verdict)).toMatchObject({
      sealed: "checked",
      keys: "not checked",
      parties: "not checked",
      policy: "not checked",
      conversion: "not checked",
    });
  });

  it("leaves the conversion unchecked when the cited sheet is not at hand", () => {
    const world = makeLog();
    for (const sheets of [[], [sheetNote(world, 7)], ["not a note"]]) {
      const verdict = verify(world.receipt(3), keysOf(world, sheets));
      expect(verdict.ok).toBe(true);
      expect(statuses(verdict)).toMatchObject({ policy: "checked", conversion: "not checked" });
    }
  });

  it("does not depend on the order of the cosignatures", () => {
    const world = makePaid();
    const swapped = withLines(world.receipt(3), (lines) => lines.reverse());
    expect(verify(swapped, keysOf(world)).ok).toBe(true);
  });

  it("still stands after a key that signed it was revoked", () => {
    const world = makePaid();
    const receipt = world.receipt(3);
    const later = world.nowMs() + 60_000;
    for (const [participant, key, root] of [
      [hk, testKeys.hk, testKeys.hkRoot],
      ["fx-desk.example", testKeys.fx, testKeys.fxRoot],
    ] as const) {
      const body = { participant, vkey: key.vkey, reason: "lost" };
      world.keyLog.log("revocation", body, [root], later);
    }
    expect(statuses(verify(receipt, keysOf(world)))).toMatchObject({
      parties: "checked",
      conversion: "checked",
    });
  });
});

describe("a receipt that was changed", () => {
  it("is refused for any byte that is another one", () => {
    const world = makePaid();
    const receipt = utf8(world.receipt(3));
    const accepted: number[] = [];
    for (let at = 0; at < receipt.length; at += 1) {
      const before = receipt[at] as number;
      for (const other of [before ^ 1, before ^ 0x20]) {
        receipt[at] = other;
        if (verifyReceipt(receipt, { policy }).ok) accepted.push(at);
      }
      receipt[at] = before;
    }
    expect(accepted).toEqual([]);
    expect(verifyReceipt(receipt, { policy }).ok).toBe(true);
  });

  it("is refused where bytes are missing or added", () => {
    const receipt = utf8(makePaid().receipt(3));
    const accepted: number[] = [];
    for (let at = 0; at <= receipt.length; at += 1) {
      const before = receipt.subarray(0, at);
      const longer = [0x0a, 0x20, 0x41].map((byte) =>
        Uint8Array.of(...before, byte, ...receipt.subarray(at)),
      );
      const shorter = [Uint8Array.of(...before, ...receipt.subarray(at + 1)), before];
      if (at === receipt.length) shorter.length = 0;
      for (const changed of [...longer, ...shorter]) {
        if (verifyReceipt(changed, { policy }).ok) accepted.push(at);
      }
    }
    expect(accepted).toEqual([]);
    const marked = Uint8Array.of(0xef, 0xbb, 0xbf, ...receipt);
    expect(verifyReceipt(marked, { policy }).ok).toBe(false);
  });

  const fourth = (text: string, at = 3): string => {
    const { name, seed } = witnessKeys[at] as (typeof witnessKeys)[number];
    return cosignLine(name, seed, text, 1_795_330_802);
  };

  it.each<[string, (lines: string[], text: string) => string[], string]>([
    ["a fourth witness's good cosignature", (l, t) => [...l, fourth(t)], "line-unexpected"],
    ["a second cosignature of one witness", (l, t) => [...l, fourth(t, 0)], "line-unexpected"],
    ["a line that is there twice", (l) => [...l, l[1] as string], "line-unexpected"],
    ["a line by somebody else", (l, t) => [...l, lineOf(testKeys.stranger, t)], "line-unexpected"],
    ["two cosignatures instead of three", (l) => l.slice(0, 3), "quorum-missing"],
    ["no cosignature", (l) => l.slice(0, 1), "quorum-missing"],
    ["no line of the log", (l) => l.slice(1), "note-unknown-key"],
    [
      "the key log's line instead of the log's",
      (l, t) => [lineOf(testKeys.keyLog, t), ...l.slice(1)],
      "note-unknown-key",
    ],
  ])("is refused: %s", (_what, edit, code) => {
    const receipt = withLines(makePaid().receipt(3), edit);
    expect(statuses(verify(receipt)).sealed).toBe(code);
  });

  it("is refused with another entry, place or tree", () => {
    const world = makeLog();
    const proof = parseProof(world.receipt(3));
    const other = parseProof(world.receipt(8));
    const { extra: _, ...bare } = proof;
    for (const [changed, code] of [
      [{ ...proof, extra: other.extra ?? utf8("x") }, "inclusion-mismatch"],
      [{ ...proof, index: 2 }, "inclusion-mismatch"],
      [{ ...proof, index: 99 }, "inclusion-mismatch"],
      [{ ...proof, checkpoint: world.checkpoint(10) }, "inclusion-mismatch"],
      [{ ...proof, hashes: proof.hashes.slice(1) }, "inclusion-mismatch"],
      [bare, "entry-missing"],
    ] as const) {
      const verdict = verify(formatProof(changed), keysOf(world));
      expect(statuses(verdict).sealed).toBe(code);
      expect(verdict).toMatchObject({ ok: false, facts: undefined });
    }
  });
});

describe("another policy", () => {
  const receipt = makePaid().receipt(3);
  const under = (text: string): string =>
    statuses(verifyReceipt(utf8(receipt), { policy: parsePolicy(text) })).sealed;

  it("does not know the log, or a log of that name with another key", () => {
    const stranger = testKeys.stranger.vkey;
    expect(under(policyText.replace(testKeys.checkpoint.vkey, stranger))).toBe("note-unknown-key");
    const impostor = formatVerifierKey(origin, 1, testKeys.stranger.key.publicKey);
    expect(under(policyText.replace(testKeys.checkpoint.vkey, impostor))).toBe("note-unknown-key");
  });

  it("asks for more witnesses, or for others", () => {
    expect(under(policyText.replace("3 w1 w2 w3 w4", "4 w1 w2 w3 w4"))).toBe("quorum-missing");
    const other = testKey("hk.example/other", 4).vkey;
    expect(under(policyText.replace(witnessKeys[0]?.vkey ?? "", other))).toBe("quorum-missing");
  });

  it("asks for fewer, so that a line is left over", () => {
    expect(under(policyText.replace("3 w1 w2 w3 w4", "2 w1 w2 w3 w4"))).toBe("line-unexpected");
  });

  it("asks for none, under which nothing is sealed", () => {
    const alone = policyText.replace("quorum quorum-of-3", "quorum none");
    expect(under(alone)).toBe("policy-without-quorum");
  });
});
