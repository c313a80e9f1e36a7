// Bundles for the corpus: some receipts with an opening, a participant's export with its statement, and
// what must be refused: lines that are moved, left out or of others, though each stands for itself.
import { formatBundle, type BundleParts, type Disclosure } from "@sealane/cli";
import { hk, makeLog, origin, ph, takeApart, testKeys, type World } from "@sealane/rules/testing";
import { concatBytes, sha256, toBase64, utf8 } from "@sealane/tlog";

const opening = concatBytes(sha256("salt"), utf8("+639170000001"));

/** Every kind of entry, a transfer whose payee can be disclosed, and hk's statement of its chain. */
const makeWorld = (): World => {
  const world = makeLog();
  world.publishSheet();
  const payee = { participant: ph, account: toBase64(sha256(opening)) };
  world.transfer({ key: "disclosed", payee }); // 12
  world.run([world.stateChain()]); // 13
  world.transfer({ key: "after" }); // 14
  return world;
};

export type Bundles = {
  readonly world: World;
  readonly small: string;
  readonly exported: string;
  /** Of those and others, what does not stand, by what is wrong with it. */
  readonly bad: readonly (readonly [what: string, text: string])[];
  /** Lines of a file of pinned roots under which they stand, and others under which they do not. */
  readonly roots: string;
  readonly otherRoots: readonly (readonly [what: string, text: string])[];
};

const lines = (text: string): string[] => text.slice(0, -1).split("\n");
const whole = (parts: readonly string[]): string => `${parts.join("\n")}\n`;

/** The text with its lines of a kind changed. */
const changing = (
  text: string,
  kind: string,
  change: (of: readonly string[]) => readonly string[],
): string => {
  const all = lines(text);
  const own = all.filter((line) => line.startsWith(`${kind} `));
  const at = all.findIndex((line) => line.startsWith(`${kind} `));
  return whole([...all.slice(0, at), ...change(own), ...all.slice(at + own.length)]);
};

const swapped = ([first = "", second = "", ...rest]: readonly string[]): readonly string[] => [
  second,
  first,
  ...rest,
];
const doubled = (of: readonly string[]): readonly string[] => [of[0] ?? "", ...of];
const shortened = (of: readonly string[]): readonly string[] => of.slice(0, -1);
const beheaded = (of: readonly string[]): readonly string[] => of.slice(1);
const none = (): readonly string[] => [];
const replacing =
  (from: string, to: string) =>
  (of: readonly string[]): readonly string[] =>
    of.map((line) => line.replace(from, to));

const badBundles = (small: string, exported: string, keyCheckpoints: readonly string[]) => {
  const kinds = ["key-log-checkpoint", "key-log-entry", "sheet", "receipt"] as const;
  const bad: [string, string][] = kinds.flatMap((kind): [string, string][] => [
    [`no ${kind}`, changing(small, kind, none)],
    [`a ${kind} twice`, changing(small, kind, doubled)],
    [`one ${kind} too few`, changing(exported, kind, shortened)],
  ]);
  for (const kind of ["key-log-entry", "sheet", "receipt"] as const) {
    bad.push([`two of ${kind} swapped`, changing(small, kind, swapped)]);
    bad.push([`the first ${kind} left out`, changing(exported, kind, beheaded)]);
  }
  const chain = (change: (of: readonly string[]) => readonly string[]): string =>
    changing(exported, "chain", change);
  bad.push(
    ["a chain of another participant", chain(replacing(hk, ph))],
    ["a chain of another log", chain(replacing(origin, `${origin}1`))],
    ["a chain from another number", chain(replacing(`${origin} 0 `, `${origin} 1 `))],
    ["a chain twice", chain(doubled)],
    ["a chain that ends later", chain((of) => of.map((line) => `${line}0`))],
    [
      "a receipt in the middle of a chain left out",
      changing(exported, "receipt", (of) => of.toSpliced(2, 1)),
    ],
    ["an opening of another field", changing(small, "disclosure", replacing(" payee ", " payer "))],
    ["an opening of no field", changing(small, "disclosure", replacing(" payee ", " payees "))],
    ["an opening twice", changing(small, "disclosure", doubled)],
    [
      "an opening of another value",
      changing(small, "disclosure", (of) => of.map((line) => `${line.slice(0, -4)}MDI=`)),
    ],
    ["another first line", small.replace("v1", "v2")],
    ["an empty line", small.replace("\nsheet", "\n\nsheet")],
    ["no newline at the end", small.slice(0, -1)],
    ["two newlines at the end", `${small}\n`],
    ["carriage returns", small.replaceAll("\n", "\r\n")],
    ["two spaces", small.replace("sheet ", "sheet  ")],
    ["a line of another kind", small.replace("\nsheet", "\ncomment x\nsheet")],
  );
  for (const [at, checkpoint] of keyCheckpoints.entries()) {
    const line = `key-log-checkpoint ${toBase64(utf8(checkpoint))}`;
    bad.push([`key checkpoint ${at}`, changing(small, "key-log-checkpoint", () => [line])]);
  }
  return bad;
};

const rootsOf = (roots: Readonly<Record<string, string>>): string =>
  whole(Object.entries(roots).map(([who, key]) => `${who} ${key}`));

export const makeBundles = (): Bundles => {
  const world = makeWorld();
  const pieces = world.entries.map(takeApart);
  const sheets = pieces.map(({ inner }) => inner);
  const keyLog = { keyCheckpoint: world.keyCheckpoint(), keyEntries: world.keyLog.entries, sheets };
  const transferId = (JSON.parse(sheets[12]?.split("\n")[1] ?? "{}") as { id: string }).id;
  const disclosures: Disclosure[] = [{ transferId, field: "payee", opening }];
  const bundleOf = (places: readonly number[], parts: Partial<BundleParts> = {}): string =>
    formatBundle({ ...keyLog, receipts: places.map((seq) => world.receipt(seq)), ...parts });
  const own = pieces.flatMap(({ context }, seq) =>
    context.chains.some(({ participant }) => participant === hk) ? [seq] : [],
  );
  const chain = { participant: hk, origin, first: 0, last: own.length - 1 };
  const small = bundleOf([3, 12], { disclosures });
  const exported = bundleOf(own, { chain });
  const pinned: Record<string, string> = {};
  for (const [who, { rootKey }] of world.keys().participants) pinned[who] = rootKey;
  const { [hk]: left, ...without } = pinned;
  return {
    world,
    small,
    exported,
    bad: badBundles(small, exported, [
      world.keyCheckpoint(2),
      world.keyCheckpoint(4),
      world.checkpoint(),
    ]),
    roots: rootsOf(pinned),
    otherRoots: [
      ["a participant that was not pinned", rootsOf(without)],
      ["a participant pinned with another key", rootsOf({ ...without, [hk]: testKeys.hk.vkey })],
      ["a line too short", `${hk}\n`],
      ["a participant twice", rootsOf(pinned) + `${hk} ${left ?? ""}\n`],
    ],
  };
};
