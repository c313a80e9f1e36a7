// A statement's way through several hands, without files and without a ledger.
import { applyKeyStatement, type KeyState } from "@sealane/rules";
import { hk, makeGenesis, testKey, testKeys, type TestKey } from "@sealane/rules/testing";
import type { KeyMaterial } from "@sealane/signer";
import { describe, expect, it } from "vitest";
import { CliError } from "../cli-error.ts";
import { parseThreshold } from "./commands.ts";
import {
  addLine,
  formatProposal,
  judge,
  parseProposal,
  propose,
  signersOf,
  type Proposal,
} from "./proposal.ts";
import { oldKeyOf, parseOverlap } from "./rotate.ts";

const keyLog = makeGenesis();
const state = keyLog.history().states.at(-1) as KeyState;
const { alice, bob, hkRoot, stranger } = testKeys;
const resumption = { participant: hk, suspended: false, reason: "looked-at" };

const material = ({ name, seed, vkey, key }: TestKey): KeyMaterial => ({
  name,
  seed,
  vkey,
  type: 1,
  keyId: key.keyId,
  publicKey: key.publicKey,
});

const sign = (proposal: Proposal, ...keys: TestKey[]): Proposal =>
  keys.map(material).reduce(addLine, proposal);

const resume = (): Proposal => propose(state.origin, "suspension", resumption);

const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof CliError) return error.code;
    throw error;
  }
  return "none";
};

describe("a proposal", () => {
  it("goes from file to file, a line at a time, and is complete with the last", () => {
    const proposed = formatProposal(resume());
    expect(proposed).toBe(`sealane.example/keys/suspension/v1\n${JSON.stringify(resumption)}\n`);
    expect(judge(state, parseProposal(proposed))).toMatchObject({ status: "incomplete" });
    const first = formatProposal(sign(parseProposal(proposed), alice));
    expect(judge(state, parseProposal(first))).toEqual({
      status: "incomplete",
      detail: "needs 2 operators' signatures, has 1",
    });
    const second = sign(parseProposal(first), bob);
    expect(signersOf(second)).toEqual([alice.name, bob.name]);
    expect(judge(state, second)).toEqual({ status: "complete" });
    expect(applyKeyStatement(state, formatProposal(second), 0)).toMatchObject({ ok: true });
  });

  it("has one line of each signer, and a good one instead of a bad one", () => {
    const once = sign(resume(), alice);
    expect(sign(once, alice)).toEqual(once);
    const swapped = {
      ...once,
      lines: sign(
        propose(state.origin, "policy", {
          policy: "p",
          kind: "transfer",
          operatorsFrom: [],
        }),
        alice,
      ).lines,
    };
    expect(sign(swapped, alice)).toEqual(once);
  });

  it("is refused when one byte of what was signed has changed", () => {
    const signed = formatProposal(sign(resume(), alice, bob));
    const changed = parseProposal(signed.replace("false", "true "));
    expect(judge(state, changed)).toMatchObject({ status: "refused", code: "signature-wrong" });
    const elsewhere = parseProposal(signed.replace("sealane", "another"));
    expect(judge(state, elsewhere)).toMatchObject({ status: "refused", code: "wrong-log" });
  });

  it("says again what was said before with another text", () => {
    const suspended = { participant: hk, suspended: true, reason: "looked-at" };
    const first = sign(propose(state.origin, "suspension", suspended, state), alice);
    const applied = applyKeyStatement(state, formatProposal(first), 0);
    if (!applied.ok) throw new Error(applied.detail);
    expect(judge(applied.state, first)).toMatchObject({ status: "said" });
    const again = sign(propose(state.origin, "suspension", suspended, applied.state), alice);
    expect(again.text).not.toBe(first.text);
    expect(judge(applied.state, again)).toEqual({ status: "complete" });
  });

  it.each([
    ["a kind that there is not", "kind-unknown", () => propose("o", "gift", {})],
    ["a body of another kind", "body-invalid", () => propose("o", "key", resumption)],
    ["rubbish", "proposal-malformed", () => parseProposal("rubbish\n")],
    ["a transfer", "proposal-malformed", () => parseProposal("o/transfer/v1\n{}\n")],
    ["a text cut off", "proposal-malformed", () => parseProposal("o/key/v1\n{}")],
    ["a bad line", "proposal-malformed", () => parseProposal("o/key/v1\n{}\n\n— x\n")],
  ])("is refused: %s", (_name, code, run) => {
    expect(codeOf(run)).toBe(code);
  });

  it("is judged by what the key log has: a stranger's name, a key there already", () => {
    const named = sign(
      propose(state.origin, "key", { participant: hk, purpose: "transfer", vkey: stranger.vkey }),
      hkRoot,
      stranger,
    );
    expect(judge(state, named)).toMatchObject({ status: "refused", code: "key-inadmissible" });
  });
});

describe("a rotation", () => {
  const asked = { purpose: "transfer" } as const;
  it("ends the key that was named, and refuses to guess between several", () => {
    const fresh = testKey(`${hk}/k3`).vkey;
    expect(oldKeyOf(state, hk, { ...asked, old: `${hk}/k1` }, fresh).key.name).toBe(`${hk}/k1`);
    expect(oldKeyOf(state, hk, asked, testKeys.hk2.vkey).key.name).toBe(`${hk}/k1`);
    expect(codeOf(() => oldKeyOf(state, hk, asked, fresh))).toBe("old-key-unclear");
    expect(codeOf(() => oldKeyOf(state, hk, { ...asked, old: "x" }, fresh))).toBe(
      "old-key-unclear",
    );
  });

  it("overlaps for a stated time", () => {
    expect(["3s", "5m", "24h"].map(parseOverlap)).toEqual([3_000, 300_000, 86_400_000]);
    expect(codeOf(() => parseOverlap("soon"))).toBe("overlap-invalid");
  });
});

describe("a threshold", () => {
  it("is a currency, an exact amount of it, and a count", () => {
    expect(parseThreshold("HKD 100000.00 2")).toEqual({
      currency: "HKD",
      amount: "100000.00",
      count: 2,
    });
    for (const bad of ["HKD 1.001 2", "XXX 1 2", "HKD 1 0", "HKD 1", "HKD 1e3 2", "HKD 1 2 3"]) {
      expect(codeOf(() => parseThreshold(bad))).toBe("threshold-invalid");
    }
  });
});
