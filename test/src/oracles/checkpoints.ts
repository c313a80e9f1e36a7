// Promises 4 and 5: every checkpoint that was ever seen, by a watcher during the run and by each witness, is
// of one history: each root is recomputed at its size. And the evidence of forks that witnesses keep.
import { readdirSync } from "node:fs";
import { appendLeaf, emptyRange, rangeRoot, toBase64 } from "@sealane/tlog";
import type { Evidence } from "./evidence.ts";
import { judge, type Verdict } from "./oracle.ts";

/** Roots at the wanted sizes, recomputed from the leaves. */
const rootsAt = (
  leaves: readonly Uint8Array[],
  sizes: ReadonlySet<number>,
): Map<number, string> => {
  const roots = new Map<number, string>();
  let range = emptyRange();
  if (sizes.has(0)) roots.set(0, toBase64(rangeRoot(range)));
  for (const [at, leaf] of leaves.entries()) {
    range = appendLeaf(range, leaf);
    if (sizes.has(at + 1)) roots.set(at + 1, toBase64(rangeRoot(range)));
  }
  return roots;
};

/** Evidence of forks that witnesses have kept, by file name. */
export const forkEvidence = (stateFolder: string): string[] => {
  const folders = readdirSync(stateFolder).filter((name) => name.endsWith(".evidence"));
  return folders.flatMap((folder) =>
    readdirSync(`${stateFolder}/${folder}`)
      .filter((name) => !name.startsWith("refused-by-owner"))
      .map((name) => `${folder}/${name}`),
  );
};

export const checkpointVerdicts = (evidence: Evidence): Verdict[] => {
  const { audit, watched, heads, system } = evidence;
  const all = [...watched, ...heads];
  const roots = rootsAt(audit.leafHashes, new Set(all.map(({ size }) => size)));
  const contradicted = all
    .filter(({ size, root }) => size <= audit.entries && roots.get(size) !== root)
    .map(({ size, by }) => `${by} saw another root at size ${size}`);
  const ahead = all
    .filter(({ size }) => size > audit.entries)
    .map(({ size, by }) => `${by} has seen ${size} entries, ${audit.entries} are published`);
  const rootsOf = Map.groupBy(all, ({ size }) => size);
  const forks = [...rootsOf].flatMap(([size, some]) =>
    new Set(some.map(({ root }) => root)).size > 1 ? [`two roots at size ${size}`] : [],
  );
  const kept = forkEvidence(system.stack.home.path("state")).filter(
    (name) => !evidence.expectedForks.some((expected) => name.includes(expected)),
  );
  const silent = heads.length === 0 ? ["no witness answered"] : [];
  return [
    judge(4, `${watched.length} checkpoints seen meanwhile, ${heads.length} witnesses' heads`, [
      ...contradicted,
      ...ahead,
      ...silent,
    ]),
    judge(5, "what was seen, and the evidence that witnesses keep", [...forks, ...kept]),
  ];
};
