import {
  hk,
  lineOf,
  makeFundedWorld,
  makeLog,
  origin,
  ph,
  policy,
  policyText,
  putTogether,
  say,
  takeApart,
  testKey,
  testKeys,
  witnessKeys,
  cosignedCheckpoint,
  type Piece,
  type World,
} from "@sealane/rules/testing";
import {
  appendLeaf,
  composeNote,
  cosignLine,
  emptyRange,
  formatProof,
  formatVerifierKey,
  inclusionProof,
  leafHash,
  parseNote,
  parsePolicy,
  parseProof,
  rootOf,
  utf8,
} from "@sealane/tlog";
import { noteHash } from "@sealane/protocol";
import { describe, expect, it } from "vitest";
import { verifyReceipt, type KeysCopy, type Question, type Verdict } from "./verify-receipt.ts";

const sheetNote = (world: World, place = 2): string => takeApart(world.entries[place] ?? "").inner;

const keysOf = (world: World, sheets: readonly string[] = [sheetNote(world)]): KeysCopy => ({
  checkpoint: world.keyCheckpoint(),
  entries: world.keyLog.entries,
  sheets,
});

const verify = (receipt: string, keys?: KeysCopy): Verdict =>
  verifyReceipt(utf8(receipt), { policy, keys });

const statuses = ({ checks }: Verdict): Record<Question, string> =>
  Object.fromEntries(
    Object.entries(checks).map(([question, check]) => [
      question,
      check.status === "failed" ? check.code : check.status,
    ]),
  ) as Record<Question, string>;

/** A world whose entry 3 is a transfer of 1000.00 HKD. */
const makePaid = (): World => {
  const world = makeFundedWorld();
  world.transfer({ key: "paid" });
  return world;
};

/** The receipt with other signature lines under its checkpoint. */
const withLines = (receipt: string, edit: (lines: string[], text: string) => string[]): string => {
  const proof = parseProof(receipt);
  const { text, signatures } = parseNote(proof.checkpoint);
  const lines = edit(
    signatures.map(({ line }) => line),
    text,
  );
  return formatProof({ ...proof, checkpoint: composeNote(text, lines) });
};

/** An honest receipt, properly sealed, of entries that a dishonest operator put together. */
const receiptOf = (entries: readonly string[], place: number, timeSeconds: number): string => {
  const hashes = entries.map((entry) => leafHash(entry));
  const range = hashes.reduce(appendLeaf, emptyRange());
  return formatProof({
    extra: utf8(entries[place] as string),
    index: place,
    hashes: inclusionProof(place, entries.length, (level, index) =>
      rootOf(hashes.slice(index * 2 ** level, (index + 1) * 2 ** level)),
    ),
    checkpoint: cosignedCheckpoint(
      testKeys.checkpoint,
      range,
      witnessKeys.slice(0, 3),
      timeSeconds,
    ),
  });
};

const forged = (world: World, place: number, edit: (piece: Piece) => Piece): string => {
  const pieces = world.entries.map(takeApart);
  const entries = putTogether(pieces.map((piece, at) => (at === place ? edit(piece) : piece)));
  return receiptOf(entries, place, Math.ceil(world.nowMs() / 1_000));
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

describe("a sealed entry that does not stand", () => {
  const again = (world: World, place: number, edit: (piece: Piece) => Piece): Verdict =>
    verify(forged(world, place, edit), keysOf(world));

  const unsigned = (name: string) => (piece: Piece) => {
    const { text, signatures } = parseNote(piece.inner);
    const lines = signatures.filter((one) => one.name !== name).map(({ line }) => line);
    return { ...piece, inner: composeNote(text, lines) };
  };

  it.each([
    ["payer", testKeys.hk.name],
    ["payee", testKeys.ph.name],
  ])("without the %s's signature", (_who, name) => {
    const verdict = again(makePaid(), 3, unsigned(name));
    expect(verdict.ok).toBe(false);
    expect(statuses(verdict)).toMatchObject({
      sealed: "checked",
      keys: "checked",
      parties: "signature-missing",
      policy: "not checked",
      conversion: "not checked",
    });
  });

  it("with postings that its terms do not give", () => {
    const verdict = again(makePaid(), 3, ({ context, inner }) => ({
      context: { ...context, postings: context.postings.slice(1) },
      inner,
    }));
    expect(statuses(verdict).parties).toBe("postings-mismatch");
  });

  it("signed with a key that was revoked before", () => {
    const world = makePaid();
    const body = { participant: ph, vkey: testKeys.ph.vkey, reason: "lost" };
    world.keyLog.log("revocation", body, [testKeys.phRoot], world.nowMs() - 1);
    const { size, roots } = world.keyLog.history();
    const keys = { size, root: roots[size] ?? "" };
    const verdict = again(world, 3, ({ context, inner }) => ({
      context: { ...context, keys },
      inner,
    }));
    expect(statuses(verdict)).toMatchObject({ keys: "checked", parties: "key-revoked" });
  });

  it("that leaves a revocation of more than 2 s ago out", () => {
    const world = makeFundedWorld();
    const before = world.keyLog.history().size;
    const body = { participant: ph, vkey: testKeys.ph.vkey, reason: "lost" };
    world.keyLog.log("revocation", body, [testKeys.phRoot], world.nowMs());
    world.run([], { atMs: world.nowMs() + 2_001, keysSize: before });
    const intent = say.intent(world.keys(before), world.terms());
    world.run([intent], { keysSize: before });
    const accepted = say.acceptance(
      world.keys(before),
      intent.body.id,
      world.state.open.get(intent.body.id)?.text ?? "",
    );
    world.run([accepted], { keysSize: before });
    const verdict = verify(world.receipt(3), keysOf(world));
    expect(statuses(verdict)).toMatchObject({ sealed: "checked", keys: "keys-stale" });
    expect(verdict.ok).toBe(false);
  });

  it("whose log time is more than 2 s after its seal", () => {
    const world = makePaid();
    const seconds = Math.floor(world.nowMs() / 1_000);
    const at = (early: number) => statuses(verify(receiptOf(world.entries, 3, seconds - early)));
    expect(at(1).sealed).toBe("checked");
    expect(at(3).sealed).toBe("time-ahead");
  });

  it("at another place than it says", () => {
    const world = makePaid();
    const [a, b, ...rest] = world.entries as [string, string];
    const receipt = receiptOf([b, a, ...rest], 0, Math.ceil(world.nowMs() / 1_000));
    expect(statuses(verify(receipt)).sealed).toBe("sequence-broken");
  });

  it("in which parties agreed on a price that the sheet does not give", () => {
    const world = makePaid();
    const verdict = again(world, 3, ({ context, inner }) => {
      const text = parseNote(inner).text.replace('"amount":"7235.50"', '"amount":"7235.51"');
      const lines = [testKeys.hk, testKeys.ph].map((key) => lineOf(key, text));
      const postings = context.postings.map((one) =>
        one.amount === "7235.50" ? { ...one, amount: "7235.51" } : one,
      );
      return { context: { ...context, postings }, inner: composeNote(text, lines) };
    });
    expect(statuses(verdict)).toMatchObject({
      parties: "checked",
      policy: "checked",
      conversion: "amount-mismatch",
    });
  });

  it("under a policy that is not met, or that never was", () => {
    const demanding = makeFundedWorld({
      policy: { operatorsFrom: [{ currency: "HKD", amount: "500.00", count: 1 }] },
    });
    demanding.transfer({ key: "small", amount: "499.99" });
    expect(statuses(verify(demanding.receipt(3), keysOf(demanding))).policy).toBe("checked");
    const { size, roots } = demanding.keyLog.history();
    const cited = { size, root: roots[size] ?? "" };
    const large = forged(makePaid(), 3, ({ context, inner }) => ({
      context: { ...context, keys: cited },
      inner,
    }));
    expect(statuses(verify(large, keysOf(demanding)))).toMatchObject({
      parties: "checked",
      policy: "policy-unmet",
      conversion: "not checked",
    });
    const edit = (from: string, to: string) => (piece: Piece) => {
      const text = parseNote(piece.inner).text.replace(from, to);
      const lines = [testKeys.hk, testKeys.ph].map((key) => lineOf(key, text));
      return { ...piece, inner: composeNote(text, lines) };
    };
    const unknown = again(makePaid(), 3, edit('"transfer/1"', '"transfer/2"'));
    expect(statuses(unknown)).toMatchObject({ parties: "checked", policy: "policy-unknown" });
    expect(unknown.ok).toBe(false);
  });

  it("of a log whose key the key log does not know", () => {
    const world = makePaid();
    const keys = keysOf(world);
    const lane = keys.entries.findIndex((entry) => entry.includes("/lanes/v1\n"));
    const shorter = { ...keys, entries: keys.entries.slice(0, lane) };
    expect(statuses(verify(world.receipt(3), shorter)).keys).toBe("size-mismatch");
  });
});

describe("a copy of the key log", () => {
  const world = makePaid();
  const receipt = world.receipt(3);
  const keys = keysOf(world);
  const code = (changed: KeysCopy): string => statuses(verify(receipt, changed)).keys;

  it("is refused when an entry is dropped, changed or too few cosigned it", () => {
    expect(code({ ...keys, entries: keys.entries.slice(0, -1) })).toBe("size-mismatch");
    expect(code({ ...keys, entries: keys.entries.slice(1) })).not.toBe("checked");
    expect(code({ ...keys, checkpoint: world.keyCheckpoint(2) })).toBe("quorum-missing");
    expect(code({ ...keys, checkpoint: world.checkpoint() })).toBe("wrong-log");
    for (const place of keys.entries.keys()) {
      const changed = keys.entries.map((entry, at) =>
        at === place ? entry.replace('"seq":', '"seq" :') : entry,
      );
      expect(code({ ...keys, entries: changed })).toBe("signature-missing");
    }
  });

  it("that is older than what the receipt cites says so", () => {
    const paid = makePaid();
    const old = keysOf(paid);
    const oldCopy = { ...old, entries: [...old.entries] };
    const body = { participant: hk, vkey: testKeys.hk2.vkey, reason: "unused" };
    paid.keyLog.log("revocation", body, [testKeys.hkRoot], paid.nowMs());
    paid.transfer({ key: "later" });
    expect(statuses(verify(paid.receipt(4), oldCopy)).keys).toBe("keys-too-old");
    expect(statuses(verify(paid.receipt(3), oldCopy)).keys).toBe("checked");
  });

  it("is never believed for its sheets: the provider must have signed them", () => {
    const { text } = parseNote(sheetNote(world));
    const cite = (sheet: string): Verdict => {
      const receiptCiting = forged(world, 3, ({ context, inner }) => {
        const terms = parseNote(inner).text.replace(noteHash(sheetNote(world)), noteHash(sheet));
        const lines = [testKeys.hk, testKeys.ph].map((key) => lineOf(key, terms));
        return { context, inner: composeNote(terms, lines) };
      });
      return verify(receiptCiting, { ...keys, sheets: [sheetNote(world), sheet] });
    };
    for (const key of [testKeys.stranger, testKeys.fxTransfer, testKeys.hk]) {
      const verdict = cite(composeNote(text, [lineOf(key, text)]));
      expect(statuses(verdict).conversion).toBe("signature-missing");
      expect(verdict.ok).toBe(false);
    }
    const better = text.replace('"rate":"7.25"', '"rate":"7.26"');
    expect(better).not.toBe(text);
    const dearer = cite(composeNote(better, [lineOf(testKeys.fx, better)]));
    expect(statuses(dearer).conversion).toBe("amount-mismatch");
    const over = text.replace(/"honourUntil":"[^"]+"/, '"honourUntil":"2026-11-22T06:00:00.000Z"');
    const late = cite(composeNote(over, [lineOf(testKeys.fx, over)]));
    expect(statuses(late).conversion).toBe("sheet-not-honoured");
  });
});
