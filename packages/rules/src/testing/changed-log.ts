// A log whose keys, operators and policies change between its entries, with statements of chains; and
// what a dishonest operator may try with it. One corpus for every verifier, like `forgeries.ts`.
import { statementText } from "@sealane/protocol";
import { parseNote } from "@sealane/tlog";
import { putTogether, takeApart } from "./forge.ts";
import { change, changeInner, resigned, type Edit, type Forgery } from "./forgeries.ts";
import { fx, hk, operator, testKeys } from "./genesis.ts";
import { signed, testKey } from "./keys.ts";
import { makeFundedWorld, type World } from "./world.ts";

const carol = testKey("operator.example/carol");
const newRoot = testKey(`${hk}/root-2`);
const late = testKey(`${hk}/k8`);

/** 3: a transfer; then hk is bound, bob and hk's root are replaced; 4: a transfer; 5, 6: statements. */
export const makeChangedLog = (): World => {
  const world = makeFundedWorld();
  const { alice, bob, entry, hkRoot } = testKeys;
  world.transfer({ key: "before" });
  const at = world.nowMs();
  const log = world.keyLog.log;
  const policy = { policy: "bound/1", kind: "transfer", operatorsFrom: [] };
  log("policy", policy, [alice, bob], at);
  const binding = { participant: hk, policy: "bound/1", reason: "agreed" };
  log("binding", binding, [hkRoot, alice, bob], at);
  const operators = [alice.vkey, carol.vkey];
  log("ledger", { operator, entryKey: entry.vkey, operators }, [alice, bob, carol], at);
  const record = {
    participant: hk,
    roles: ["wallet"],
    rootKey: newRoot.vkey,
    currencies: ["HKD", "PHP"],
    exposure: "gross",
    caps: [],
  };
  log("participant", record, [hkRoot, newRoot, carol], at);
  const key = { participant: hk, purpose: "transfer", vkey: late.vkey };
  log("key", key, [newRoot, late], at);
  world.transfer({ key: "bound", policy: "bound/1" });
  world.run([world.stateChain()]);
  world.run([world.stateChain({ participant: fx }, { signers: [testKeys.fx] })]);
  return world;
};

/** The newest state of the key log, cited by an entry that came before it. */
const citeNewest =
  (position: number): Edit =>
  (pieces, world) => {
    const { size, roots } = world.keyLog.history();
    return change(position, { keys: { size, root: roots[size] ?? "" } })(pieces, world);
  };

const bySomebodyElse = (inner: string): string => signed(parseNote(inner).text, [testKeys.ph]);

const another = (inner: string, world: World): string => {
  const body = JSON.parse(inner.split("\n")[1] ?? "") as object;
  return signed(statementText(world.origin, "statement", { ...body, to: 1 }), [testKeys.hk]);
};

export const changedForgeries: readonly Forgery[] = [
  ["terms that cite another policy than binds the payer", citeNewest(3), 3, "policy-bound"],
  ["a statement that names another entry", changeInner(5, another), 5, "head-mismatch"],
  ["a statement by another", changeInner(5, bySomebodyElse), 5, "signature-missing"],
  [
    "a statement of entries that are not there",
    changeInner(5, resigned('"to":2', '"to":9', ["hk"])),
    5,
    "statement-ahead",
  ],
  [
    "a statement of nothing",
    changeInner(5, resigned('"from":0', '"from":3', ["hk"])),
    5,
    "statement-ahead",
  ],
  [
    "a statement of a larger log",
    changeInner(5, resigned('"size":5', '"size":99', ["hk"])),
    5,
    "statement-ahead",
  ],
];

export const forgeChanged = ([, edit]: Forgery): {
  readonly world: World;
  readonly entries: string[];
} => {
  const world = makeChangedLog();
  return { world, entries: putTogether(edit(world.entries.map(takeApart), world)) };
};
