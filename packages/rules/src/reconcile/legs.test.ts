// What must be booked follows from the signed terms, and is what the ledger posts; lines of a bank that
// nothing answers to are named one by one.
import type { Terms } from "@sealane/protocol";
import { describe, expect, it } from "vitest";
import { minorOf } from "../positions.ts";
import { transferPostings } from "../postings.ts";
import { refusedBankLines } from "../settlement/index.ts";
import {
  bankLinesOf,
  cut,
  fx,
  hk,
  makeReturnLog,
  makeSettlingWorld,
  netsOf,
  ph,
  say,
  type TermsOptions,
} from "../testing/index.ts";
import { verifyEntry } from "../verify-entry.ts";
import { legsOfTerms, logTransferOf, postingFindings } from "./legs.ts";

const termsOf = (options: TermsOptions = {}): Terms => {
  const world = makeSettlingWorld();
  return world.terms(options);
};

const postedFor = (terms: Terms) =>
  transferPostings(terms).map(({ amount, ...posting }) => ({
    ...posting,
    minor: minorOf(amount, posting.currency),
  }));

describe("legs", () => {
  it.each(["send", "receive"] as const)("are what is posted when %s is fixed", (fixed) => {
    const terms = termsOf({ fixed, amount: "777.77" });
    expect(postingFindings({ legs: legsOfTerms(terms) }, postedFor(terms))).toEqual([]);
  });

  it("name the rounded side alone, and only where something was rounded", () => {
    const residues = (terms: Terms) => legsOfTerms(terms).map(({ residue }) => residue);
    const sent = termsOf({ fixed: "send", residue: "0.00627" });
    expect(residues(sent)).toEqual([0n, 0n, 1n, 1n]);
    expect(residues({ ...sent, fixed: "receive" })).toEqual([-1n, -1n, 0n, 0n]);
    expect(residues({ ...sent, residue: "0.000" })).toEqual([0n, 0n, 0n, 0n]);
  });

  it("tell when Postgres has another amount, another owner, or nothing", () => {
    const terms = termsOf();
    const legs = legsOfTerms(terms);
    const [fee, sent, received] = postedFor(terms);
    if (fee === undefined || sent === undefined || received === undefined)
      throw new Error("postings");
    const kinds = (posted: Parameters<typeof postingFindings>[1]) =>
      postingFindings({ legs }, posted).map(({ kind, subject }) => `${kind} ${subject}`);
    expect(kinds([fee, sent, { ...received, minor: received.minor + 1n }])).toEqual([
      `amount posted ${fx} debit PHP`,
      `amount posted ${ph} credit PHP`,
    ]);
    expect(kinds([fee, sent, { ...received, credit: `${hk}:position` }])).toEqual([
      `amount posted ${hk} credit PHP`,
      `amount posted ${ph} credit PHP`,
    ]);
    expect(kinds([])).toHaveLength(4);
  });
});

describe("a bank's lines that nothing answers to", () => {
  const made = () => {
    const world = makeSettlingWorld();
    world.transfer({ key: "a" });
    const lines = bankLinesOf(netsOf(cut(world)));
    const window = { corridor: "hkd-php", number: 0, attempt: 0 };
    const unmatched = (changed: typeof lines, of = window) => {
      const { body } = say.bankStatement(world.keys(), { window: of, lines: changed });
      return refusedBankLines(world.state.settlement, world.keys(), body);
    };
    return { lines, window, unmatched };
  };

  it("are none where every line has its leg", () => {
    const { lines, unmatched } = made();
    expect(unmatched(lines)).toEqual([]);
  });

  it("are just those: another amount, another account, a reference of nobody", () => {
    const { lines, unmatched } = made();
    const changes = [{ amount: "1.00" }, { account: "NOBODY0001" }, { reference: "NONE" }];
    const changed = lines.map((line, at) => ({ ...line, ...changes[at] }));
    expect(unmatched(changed).map(({ line }) => line)).toEqual(changed.slice(0, 3));
  });

  it("are all of them where no window waits, or the instructions were taken back", () => {
    const { lines, window, unmatched } = made();
    expect(unmatched(lines, { ...window, number: 9 })).toHaveLength(lines.length);
    expect(unmatched(lines, { ...window, attempt: 1 })).toHaveLength(lines.length);
  });
});

it("a return is booked under its own id, each party's sum once, and is what is posted", () => {
  const world = makeReturnLog();
  const history = world.keyLog.history();
  const returns = world.entries.flatMap((text) => {
    const read = verifyEntry(text, { origin: world.origin, history, signatures: false });
    return read.ok && read.entry.kind === "return" ? [read.entry] : [];
  });
  expect(returns.length).toBeGreaterThan(0);
  for (const entry of returns) {
    const transfer = logTransferOf(entry);
    if (transfer === undefined) throw new Error("a return is a transfer");
    const posted = entry.context.postings.map(({ amount, ...posting }) => ({
      ...posting,
      minor: minorOf(amount, posting.currency),
    }));
    expect(postingFindings(transfer, posted)).toEqual([]);
    expect(transfer.legs.filter(({ participant }) => participant === hk)).toHaveLength(1);
  }
});
