// Bundles: what stands, and that nothing in one can be changed, left out, added or moved.
import {
  appendLeaves,
  concatBytes,
  emptyRange,
  leafHash,
  sha256,
  toBase64,
  utf8,
} from "@sealane/tlog";
import {
  hk,
  makeLog,
  origin,
  ph,
  policy,
  cosignedCheckpoint,
  putTogether,
  takeApart,
  testKeys,
  witnessKeys,
  type World,
} from "@sealane/rules/testing";
import { describe, expect, it } from "vitest";
import { formatBundle, type BundleParts, type Disclosure } from "./bundle-format.ts";
import { receiptOf } from "./testing/receipts.ts";
import { verifyBundle, type BundleVerdict } from "./verify-bundle.ts";

const opening = concatBytes(sha256("salt"), utf8("+639170000001"));
const payee = { participant: ph, account: toBase64(sha256(opening)) };

/** Every kind of entry, a transfer whose payee can be disclosed, and hk's statement of its chain. */
const makeWorld = (): World => {
  const world = makeLog();
  world.publishSheet();
  world.transfer({ key: "disclosed", payee }); // 12
  world.run([world.stateChain()]); // 13
  world.transfer({ key: "after" }); // 14
  return world;
};

const world = makeWorld();
const sheets = world.entries.map((entry) => takeApart(entry).inner);
const keyLog = { keyCheckpoint: world.keyCheckpoint(), keyEntries: world.keyLog.entries, sheets };
const transferId = JSON.parse(sheets[12]!.split("\n")[1]!).id as string;
const disclosure: Disclosure = { transferId, field: "payee", opening };

/** Places of a participant's entries in the log. */
const ownPlaces = (participant: string): number[] =>
  world.entries.flatMap((entry, seq) =>
    takeApart(entry).context.chains.some((link) => link.participant === participant) ? [seq] : [],
  );

const bundleOf = (places: readonly number[], parts: Partial<BundleParts> = {}): string =>
  formatBundle({ ...keyLog, receipts: places.map((seq) => world.receipt(seq)), ...parts });

const exportOf = (participant: string, first = 0): string => {
  const places = ownPlaces(participant).slice(first);
  const last = first + places.length - 1;
  return bundleOf(places, { chain: { participant, origin, first, last } });
};

const verify = (text: string): BundleVerdict => verifyBundle(text, policy);
const codeOf = (text: string): string => {
  const verdict = verify(text);
  return verdict.ok ? "stands" : verdict.code;
};

describe("a bundle", () => {
  it("stands for several receipts, whatever order they came in, each once", () => {
    const text = bundleOf([12, 3, 8, 4, 3]);
    expect(text).toBe(bundleOf([3, 4, 8, 12]));
    const verdict = verify(text);
    if (!verdict.ok) throw new Error(`${verdict.line}: ${verdict.detail}`);
    expect(verdict.receipts.map(({ facts }) => facts?.position)).toEqual([3, 4, 8, 12]);
    expect(verdict.receipts.map(({ checks }) => checks.conversion.status)).toEqual([
      "checked",
      "not checked",
      "checked",
      "checked",
    ]);
  });

  it("reveals what was disclosed, and nothing that was not committed to", () => {
    const verdict = verify(bundleOf([3, 12], { disclosures: [disclosure] }));
    expect(verdict).toMatchObject({
      ok: true,
      receipts: [{ revealed: [] }, { revealed: [{ field: "payee", value: "+639170000001" }] }],
    });
    const other = concatBytes(sha256("salt"), utf8("+639170000002"));
    const disclosing = (changes: Partial<Disclosure>): string =>
      codeOf(bundleOf([3, 12], { disclosures: [{ ...disclosure, ...changes }] }));
    expect(disclosing({ opening: other })).toBe("disclosure-mismatch");
    expect(disclosing({ field: "payer" })).toBe("disclosure-mismatch");
    expect(disclosing({ field: "reference" })).toBe("disclosure-stray");
    expect(disclosing({ transferId: "another" })).toBe("disclosure-stray");
    expect(codeOf(bundleOf([3], { disclosures: [disclosure] }))).toBe("disclosure-stray");
  });

  it("is refused when any line is missing, doubled or moved", () => {
    const lines = bundleOf([3, 8, 12], { disclosures: [disclosure] })
      .trimEnd()
      .split("\n");
    const put = (changed: readonly string[]): string => `${changed.join("\n")}\n`;
    expect(codeOf(put(lines))).toBe("stands");
    // Receipts and disclosures may be left out: a bundle holds what it holds.
    const optional = (line: string): boolean => /^(receipt|disclosure)/.test(line);
    for (const [at, line] of lines.entries()) {
      const without = lines.filter((_, place) => place !== at);
      if (!optional(line)) expect([at, codeOf(put(without))]).not.toEqual([at, "stands"]);
      const doubled = [...lines.slice(0, at + 1), ...lines.slice(at)];
      expect([at, codeOf(put(doubled))]).not.toEqual([at, "stands"]);
      const moved = [...without.slice(0, at + 1), line, ...without.slice(at + 1)];
      if (at < lines.length - 1) expect([at, codeOf(put(moved))]).not.toEqual([at, "stands"]);
    }
  });

  it("is refused for any byte that is changed", () => {
    const text = bundleOf([3], { disclosures: [] });
    // A sample of places, every one of the first lines: the rest is base64 like they are.
    const places = Array.from({ length: 400 }, (_, at) =>
      at < 60 ? at : Math.floor((at * text.length) / 400),
    );
    for (const at of places) {
      const was = text.charCodeAt(at);
      const changed = `${text.slice(0, at)}${String.fromCharCode(was ^ 1)}${text.slice(at + 1)}`;
      expect([at, codeOf(changed)]).not.toEqual([at, "stands"]);
    }
    expect(codeOf(`${text}\n`)).toBe("bundle-malformed");
    expect(codeOf(text.trimEnd())).toBe("bundle-malformed");
  }, 120_000);

  it("has exactly the sheets that are cited, and one whole key log under a quorum", () => {
    expect(() => bundleOf([3], { sheets: [] })).toThrow(/no sheet/);
    const lines = bundleOf([3]).split("\n");
    const sheet = (text: string): string =>
      text.split("\n").find((one) => one.startsWith("sheet"))!;
    const stray = bundleOf([3]).replace(/\nreceipt/, `\n${sheet(bundleOf([8]))}\nreceipt`);
    expect(verify(stray)).toMatchObject({ code: "sheet-unexpected" });
    const none = lines.filter((line) => !line.startsWith("sheet")).join("\n");
    expect(verify(none)).toMatchObject({ code: "sheet-missing", line: lines.length - 2 });
    const few = bundleOf([3], { keyCheckpoint: world.keyCheckpoint(2) });
    expect(codeOf(few)).toBe("quorum-missing");
    const many = bundleOf([3], { keyCheckpoint: world.keyCheckpoint(4) });
    expect(codeOf(many)).toBe("line-unexpected");
  });
});

describe("a participant's export", () => {
  it("is all its entries, complete up to its newest statement", () => {
    const own = ownPlaces(hk);
    const time = takeApart(world.entries[13]!).context.time;
    expect(verify(exportOf(hk))).toMatchObject({
      ok: true,
      chain: {
        participant: hk,
        first: 0,
        last: own.length - 1,
        entries: own.length,
        complete: { time, n: own.length - 2 },
      },
    });
  });

  it("is linked and not complete without a statement, or without its beginning", () => {
    expect(verify(exportOf(ph))).toMatchObject({ ok: true, chain: { complete: undefined } });
    expect(verify(exportOf(hk, 2))).toMatchObject({ ok: true, chain: { complete: undefined } });
  });

  it("is refused with an entry missing, added, or another's", () => {
    const own = ownPlaces(hk);
    const chain = { participant: hk, origin, first: 0, last: own.length - 1 };
    for (const at of own.keys()) {
      const without = own.filter((_, place) => place !== at);
      expect([at, codeOf(bundleOf(without, { chain }))]).toEqual([at, "chain-broken"]);
      const shorter = { ...chain, last: chain.last - 1 };
      const cut = codeOf(bundleOf(without, { chain: shorter }));
      // The last one can be left out, if the claim says so; no other can.
      expect([at, cut]).toEqual([at, at === own.length - 1 ? "stands" : "chain-broken"]);
    }
    const stray = world.entries.findIndex((_, seq) => !own.includes(seq));
    expect(codeOf(bundleOf([...own, stray], { chain }))).toBe("chain-broken");
    expect(codeOf(bundleOf(own, { chain: { ...chain, participant: ph } }))).toBe("chain-broken");
    expect(codeOf(bundleOf(own, { chain: { ...chain, origin: "other/2026/0" } }))).toBe(
      "chain-broken",
    );
    expect(codeOf(bundleOf(own, { chain: { ...chain, first: 1 } }))).toBe("chain-broken");
  });

  it("is refused when a dishonest operator made numbers and hashes of fewer entries fit", () => {
    // hk's rejected transfer is left out of the whole log, and everything after it is signed anew.
    const pieces = world.entries.map(takeApart).filter((_, seq) => seq !== 4);
    const forged = putTogether(pieces);
    const places = forged.flatMap((entry, seq) =>
      takeApart(entry).context.chains.some((link) => link.participant === hk) ? [seq] : [],
    );
    const chain = { participant: hk, origin, first: 0, last: places.length - 1 };
    const receipts = places.map((seq) => receiptOf(forged, seq, world.checkpoint()));
    // No quorum ever cosigned that log.
    expect(codeOf(formatBundle({ ...keyLog, receipts, chain }))).toBe("inclusion-mismatch");
    // And had one, hk's own statement names the history that it saw.
    const range = appendLeaves(
      emptyRange(),
      forged.map((entry) => leafHash(entry)),
    );
    const colluding = cosignedCheckpoint(
      testKeys.checkpoint,
      range,
      witnessKeys.slice(0, 3),
      Math.ceil(world.nowMs() / 1_000),
    );
    const cosigned = places.map((seq) => receiptOf(forged, seq, colluding));
    const verdict = verify(formatBundle({ ...keyLog, receipts: cosigned, chain }));
    expect(verdict).toMatchObject({ ok: false, code: "statement-mismatch" });
  });
});
