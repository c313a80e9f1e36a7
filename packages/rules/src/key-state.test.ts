// Who may change what in the key log: a table of statements and signers, and what each leaves behind.
import { statementText } from "@sealane/protocol";
import { composeNote } from "@sealane/tlog";
import { describe, expect, it } from "vitest";
import { applyKeyStatement, wasSaid, type KeyState, type KeyStep } from "./key-state.ts";
import { fx, genesisMs, hk, makeGenesis, operator, ph, testKeys } from "./testing/genesis.ts";
import { lineOf, testKey, type TestKey } from "./testing/keys.ts";
import {
  agreedRecord,
  newCheckpoint,
  recoveredRoot,
  recovery,
  recoveryWaitMs,
} from "./testing/replaced-keys.ts";

const keyLog = makeGenesis();
const { alice, bob, hkRoot, phRoot, stranger, entry } = testKeys;
const fresh = testKey(`${hk}/k3`);
const carol = testKey("operator.example/carol");

const start = (): KeyState => keyLog.history().states.at(-1) as KeyState;

const say = (
  state: KeyState,
  kind: string,
  body: unknown,
  signers: readonly TestKey[],
  origin = keyLog.key.name,
  timeMs = genesisMs,
): KeyStep => {
  const text = statementText(origin, kind, body);
  return applyKeyStatement(
    state,
    composeNote(
      text,
      signers.map((key) => lineOf(key, text)),
    ),
    timeMs,
  );
};

const after = (state: KeyState, ...args: [string, unknown, readonly TestKey[]]): KeyState => {
  const next = say(state, ...args);
  if (!next.ok) throw new Error(`${next.code} ${next.detail}`);
  return next.state;
};

const key = { participant: hk, purpose: "transfer", vkey: fresh.vkey };
const record = start().participants.get(hk);
const { root: _, suspended: __, envelopeKey: ___, boundTo: ____, ...hkRecord } = record!;
const suspension = { participant: hk, suspended: true, reason: "test" };
const policy = { policy: "transfer/2", kind: "transfer", operatorsFrom: [] };
const binding = { participant: hk, policy: "transfer/1", reason: "test" };
const ledger = { operator, entryKey: entry.vkey, operators: [alice.vkey, bob.vkey] };
const withCarol = { ...ledger, operators: [alice.vkey, carol.vkey] };
const newRoot = testKey(`${hk}/root-2`);
const moved = { ...hkRecord, rootKey: newRoot.vkey };

describe("a key-log statement", () => {
  const cases: [string, string, unknown, TestKey[], string][] = [
    ["a key without its participant's root", "key", key, [fresh], "signature-missing"],
    ["a key by operators alone", "key", key, [alice, bob, fresh], "signature-missing"],
    ["a key under another's root", "key", key, [phRoot, fresh], "signature-missing"],
    ["a key that has not signed for itself", "key", key, [hkRoot], "signature-missing"],
    [
      "a key registered before",
      "key",
      { ...key, purpose: "rate-sheet", vkey: testKeys.hk.vkey },
      [hkRoot, testKeys.hk],
      "already-registered",
    ],
    [
      "a key named like another's",
      "key",
      { ...key, vkey: stranger.vkey },
      [hkRoot, stranger],
      "key-inadmissible",
    ],
    [
      "a revocation by operators",
      "revocation",
      { participant: hk, vkey: testKeys.hk.vkey, reason: "x" },
      [alice, bob],
      "signature-missing",
    ],
    ["a suspension by a participant", "suspension", suspension, [hkRoot], "signature-missing"],
    [
      "a resumption by one operator",
      "suspension",
      { ...suspension, suspended: false },
      [alice],
      "signature-missing",
    ],
    ["a policy by one operator", "policy", policy, [alice], "signature-missing"],
    ["a binding without the root", "binding", binding, [alice, bob], "signature-missing"],
    ["a binding by one operator", "binding", binding, [hkRoot, alice], "signature-missing"],
    [
      "a binding to no policy",
      "binding",
      { ...binding, policy: "x" },
      [hkRoot, alice, bob],
      "not-registered",
    ],
    ["a new root without the old", "participant", moved, [newRoot, alice], "signature-missing"],
    ["a new root that did not sign", "participant", moved, [hkRoot, alice], "signature-missing"],
    ["operators replaced by one", "ledger", withCarol, [alice, carol], "signature-missing"],
    ["an operator that did not sign", "ledger", withCarol, [alice, bob], "signature-missing"],
    [
      "an operator named twice",
      "ledger",
      { ...ledger, operators: [alice.vkey, alice.vkey] },
      [alice, bob],
      "key-inadmissible",
    ],
    [
      "another operator of the ledger",
      "ledger",
      { ...ledger, operator: "other.example" },
      [alice, bob],
      "already-registered",
    ],
    ["an unknown kind", "gift", {}, [alice], "statement-kind"],
  ];
  it.each(cases)("is refused: %s", (_name, kind, body, signers, code) => {
    expect(say(start(), kind, body, signers)).toMatchObject({ ok: false, code });
  });

  it("is refused for another log", () => {
    const elsewhere = say(start(), "key", key, [hkRoot, fresh], "other.example/keys");
    expect(elsewhere).toMatchObject({ ok: false, code: "wrong-log" });
  });

  it("counts once: an old one that is sent again is refused", () => {
    const suspended = after(start(), "suspension", suspension, [alice]);
    const resumption = { ...suspension, suspended: false };
    const resumed = after(suspended, "suspension", resumption, [alice, bob]);
    // Whoever reads the log has both notes; a line more or less does not make them new.
    for (const signers of [[alice], [bob], [alice, bob]]) {
      const again = say(resumed, "suspension", suspension, signers);
      expect(again).toMatchObject({ ok: false, code: "replayed" });
    }
    expect(say(resumed, "suspension", resumption, [alice, bob])).toMatchObject({
      code: "replayed",
    });
    const text = statementText(keyLog.key.name, "suspension", suspension);
    expect([wasSaid(resumed, text), wasSaid(start(), text)]).toEqual([true, false]);
    const anew = after(resumed, "suspension", { ...suspension, reason: "again" }, [bob]);
    expect(anew.participants.get(hk)?.suspended).toBe(true);
  });
});

describe("a rotation", () => {
  it("has both keys in force until the old one's place, and the old one stays known", () => {
    const both = after(start(), "key", key, [hkRoot, fresh]);
    const revocation = { participant: hk, vkey: testKeys.hk.vkey, reason: "rotated" };
    const ended = after(both, "revocation", revocation, [hkRoot]);
    const inForce = ({ keys }: KeyState): string[] =>
      [...keys.values()]
        .filter(({ participant, revokedAt }) => participant === hk && revokedAt === undefined)
        .map((one) => one.key.name);
    expect(inForce(both)).toEqual([`${hk}/k1`, `${hk}/k2`, `${hk}/k3`]);
    expect(inForce(ended)).toEqual([`${hk}/k2`, `${hk}/k3`]);
    const old = [...ended.keys.values()].find(({ vkey }) => vkey === testKeys.hk.vkey);
    expect(old?.revokedAt).toBe(both.size);
    const again = { ...key, purpose: "rate-sheet", vkey: testKeys.hk.vkey };
    expect(say(ended, "key", again, [hkRoot, testKeys.hk])).toMatchObject({
      code: "already-registered",
    });
  });

  it("of a root key takes the old and the new one; then only the new one counts", () => {
    const rooted = after(start(), "participant", moved, [hkRoot, newRoot, bob]);
    expect(say(rooted, "key", key, [hkRoot, fresh])).toMatchObject({ code: "signature-missing" });
    expect(say(rooted, "key", key, [newRoot, fresh])).toMatchObject({ ok: true });
  });

  it("of an operator takes two in force and the new one; then the old one counts no more", () => {
    const replaced = after(start(), "ledger", withCarol, [alice, bob, carol]);
    expect(say(replaced, "suspension", suspension, [bob])).toMatchObject({ ok: false });
    expect(say(replaced, "suspension", suspension, [carol])).toMatchObject({ ok: true });
  });
});

describe("a log's key", () => {
  const replaced = { log: testKeys.checkpoint.name, vkey: newCheckpoint.vkey, reason: "lost" };
  const both = [alice, bob, newCheckpoint];

  it("is replaced with the old one's line or without, and never comes back", () => {
    const alone = after(start(), "log-key", replaced, both);
    const laneKey = ({ lanes }: KeyState) => lanes?.lanes[0]?.vkey;
    expect([laneKey(start()), laneKey(alone)]).toEqual([
      testKeys.checkpoint.vkey,
      newCheckpoint.vkey,
    ]);
    const cosigned = after(start(), "log-key", replaced, [...both, testKeys.checkpoint]);
    expect(laneKey(cosigned)).toBe(newCheckpoint.vkey);
    const back = { ...replaced, vkey: testKeys.checkpoint.vkey };
    expect(say(alone, "log-key", back, [alice, bob, testKeys.checkpoint])).toMatchObject({
      code: "already-registered",
    });
  });

  it("is refused with a bad line of the old one, and for what signs something else", () => {
    const text = statementText(keyLog.key.name, "log-key", replaced);
    const good = both.map((one) => lineOf(one, text));
    const bad = composeNote(text, [...good, lineOf(testKeys.checkpoint, `${text}x\n`)]);
    expect(applyKeyStatement(start(), bad, genesisMs)).toMatchObject({ code: "signature-wrong" });
    const twin = testKey(replaced.log, 1, entry.seed);
    const taken = say(start(), "log-key", { ...replaced, vkey: twin.vkey }, [alice, bob, twin]);
    expect(taken).toMatchObject({ code: "already-registered" });
  });
});

describe("a lost root key", () => {
  const agreed = after(start(), "participant", agreedRecord(), [hkRoot, alice]);
  const announced = after(agreed, "root-recovery", recovery, [alice, bob, recoveredRoot]);
  const next = agreedRecord(recoveredRoot.vkey);
  const operators = [alice, bob, recoveredRoot];
  const origin = keyLog.key.name;
  const dueMs = genesisMs + recoveryWaitMs;

  it("is replaced after the wait that its owner agreed to, and not a moment before", () => {
    const early = say(announced, "participant", next, operators, origin, dueMs - 1);
    expect(early).toMatchObject({ ok: false, code: "recovery-waits" });
    const due = say(announced, "participant", next, operators, origin, dueMs);
    if (!due.ok) throw new Error(due.detail);
    expect(due.state.participants.get(hk)).toMatchObject({
      rootKey: recoveredRoot.vkey,
      recoveredAt: announced.size,
      nextRoot: undefined,
    });
    expect(say(due.state, "key", key, [hkRoot, fresh])).toMatchObject({ ok: false });
    expect(say(due.state, "key", key, [recoveredRoot, fresh])).toMatchObject({ ok: true });
  });

  it("is not replaced by operators alone, by one operator, or by a key that was not announced", () => {
    const other = { ...recovery, rootKey: newRoot.vkey };
    for (const [state, kind, body, signers, code] of [
      [start(), "root-recovery", recovery, operators, "recovery-not-agreed"],
      [agreed, "root-recovery", recovery, [alice, bob], "signature-missing"],
      [agreed, "root-recovery", recovery, [alice, recoveredRoot], "signature-missing"],
      [agreed, "root-recovery", { ...other, withdrawn: true }, [hkRoot], "not-registered"],
      [
        announced,
        "participant",
        { ...next, rootKey: newRoot.vkey },
        [alice, bob, newRoot],
        "signature-missing",
      ],
      [announced, "participant", next, [alice, recoveredRoot], "signature-missing"],
      [agreed, "participant", next, operators, "signature-missing"],
    ] as const) {
      expect(say(state, kind, body, signers, origin, dueMs)).toMatchObject({ ok: false, code });
    }
  });

  it("that is found withdraws its successor, alone", () => {
    const withdrawal = { ...recovery, withdrawn: true };
    expect(say(announced, "root-recovery", withdrawal, [alice])).toMatchObject({ ok: false });
    const kept = after(announced, "root-recovery", withdrawal, [hkRoot]);
    const late = say(kept, "participant", next, operators, origin, dueMs);
    expect(late).toMatchObject({ ok: false, code: "signature-missing" });
  });
});

describe("a binding", () => {
  it("stays through a new record, and says nothing of others", () => {
    const made = after(start(), "policy", policy, [alice, bob]);
    const bound = after(made, "binding", { ...binding, policy: "transfer/2" }, [
      hkRoot,
      alice,
      bob,
    ]);
    const again = after(bound, "participant", { ...hkRecord, exposure: "net" }, [hkRoot, alice]);
    const boundTo = (who: string) => again.participants.get(who)?.boundTo;
    expect([hk, ph, fx].map(boundTo)).toEqual(["transfer/2", undefined, undefined]);
  });
});

describe("lanes", () => {
  const lane = (at: number, from: number, to: number) => {
    const { name: origin, vkey } = testKey(`${operator}/2027/${at}`);
    return { lane: at, origin, vkey, slots: [{ from, to }] };
  };
  const divided = (...lanes: readonly object[]): KeyStep =>
    say(start(), "lanes", { period: "2027", lanes }, [alice, bob]);

  it("divide the slots, and none has two: a transfer could end in both", () => {
    expect(divided(lane(0, 0, 512), lane(1, 512, 1_024))).toMatchObject({ ok: true });
    expect(divided(lane(0, 512, 1_024), lane(1, 0, 513))).toMatchObject({
      ok: false,
      code: "already-registered",
      detail: "slot 512 is given to two lanes",
    });
  });
});
