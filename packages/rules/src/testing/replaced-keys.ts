// A log whose checkpoint key, whose key log's key, and a participant's lost root key were replaced, with
// transfers before and after; and the policies of who pinned before and of who pinned since.
import { parsePolicy } from "@sealane/tlog";
import { genesisMs, hk, policyText, testKeys } from "./genesis.ts";
import { testKey, type TestKey } from "./keys.ts";
import { makeFundedWorld, type World } from "./world.ts";

const { alice, bob, checkpoint, keyLog, hkRoot } = testKeys;

/** Another key in a log's name, which is its name too. */
const successor = ({ name }: TestKey): TestKey => {
  const other = testKey(`${name}/2`);
  return testKey(name, 1, other.seed);
};

export const newCheckpoint = successor(checkpoint);
export const newKeyLog = successor(keyLog);
export const recoveredRoot = testKey(`${hk}/root-3`);
export const recoveryWaitMs = 60_000;

/** What an auditor pins from then on: the new lines first, the old ones kept. */
export const newPolicyText = `log ${newCheckpoint.vkey}\nlog ${newKeyLog.vkey}\n${policyText}`;
export const newPolicy = parsePolicy(newPolicyText);

/** hk's record, as the genesis has it, with an agreement about its root. */
export const agreedRecord = (rootKey = hkRoot.vkey) => ({
  participant: hk,
  roles: ["wallet"],
  rootKey,
  currencies: ["HKD", "PHP"],
  exposure: "gross",
  caps: [],
  recovery: { waitSeconds: recoveryWaitMs / 1_000 },
});

export const recovery = {
  participant: hk,
  rootKey: recoveredRoot.vkey,
  withdrawn: false,
  reason: "lost",
};

/** 3: a transfer under the old keys; 4: one under the new ones. */
export const makeReplacedKeys = (): World => {
  const world = makeFundedWorld();
  world.transfer({ key: "before" });
  const log = world.keyLog.log;
  const at = world.nowMs();
  log("participant", agreedRecord(), [hkRoot, alice], at);
  log("root-recovery", recovery, [alice, bob, recoveredRoot], at);
  const lane = { log: checkpoint.name, vkey: newCheckpoint.vkey, reason: "rotated" };
  log("log-key", lane, [alice, bob, newCheckpoint, checkpoint], at);
  const keys = { log: keyLog.name, vkey: newKeyLog.vkey, reason: "lost" };
  log("log-key", keys, [bob, alice, newKeyLog], at);
  const record = agreedRecord(recoveredRoot.vkey);
  log("participant", record, [alice, bob, recoveredRoot], at + recoveryWaitMs);
  world.publishSheet({}, Math.max(at, genesisMs) + recoveryWaitMs);
  world.transfer({ key: "after" });
  return world;
};
