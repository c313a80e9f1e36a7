// Which entries wait for a quorum, and up to where the participants were told of their seals. What is
// kept across restarts is what was *told*: an untold seal is made and told again.
import { parseCheckpointText, parseNote, toBase64 } from "@sealane/tlog";
import type { AssembledEntry } from "./batch-to-save.ts";
import { sealMessages, type Outgoing, type SealedEntry } from "./publisher.ts";
import type { Sealed } from "./sealer.ts";
import type { Tree } from "./tree.ts";

export type UnsealedEntry = SealedEntry & {
  readonly timeMs: number;
  /** When it was committed: what its seal's delay counts from. */
  readonly savedMs: number;
  readonly trace: string | undefined;
};

export type Told = { readonly size: number; readonly note: string };

export type SealTracker = ReturnType<typeof makeSealTracker>;

export const makeSealTracker = (lane: number, tree: Tree) => {
  const unsealed: UnsealedEntry[] = [];
  let sealed: Told = { size: 0, note: "" };
  let told: Told = { size: 0, note: "" };

  return {
    /**
     * Begins again at what participants were surely told of. After a recovery the note may be of a
     * larger size: it is shown, so that the log does not shrink, and its seals are told again.
     */
    begin: (at: Told, waiting: readonly UnsealedEntry[]): void => {
      told = at;
      const size = at.note === "" ? 0 : parseCheckpointText(parseNote(at.note).text).size;
      if (sealed.size < size) sealed = { size, note: at.note };
      unsealed.length = 0;
      unsealed.push(...waiting);
    },
    appended: (entries: readonly UnsealedEntry[]): void => {
      unsealed.push(...entries);
    },
    /** A quorum has cosigned: what it covers for the first time, and what to tell. */
    cover: (
      seal: Sealed,
    ): { readonly covered: readonly UnsealedEntry[]; readonly messages: Outgoing[] } => {
      const { size } = seal.checkpoint;
      if (size >= sealed.size) sealed = { size, note: seal.note };
      let count = 0;
      while ((unsealed[count]?.seq ?? size) < size) count += 1;
      const covered = unsealed.splice(0, count);
      const proofOf = (seq: number): readonly Uint8Array[] => tree.inclusion(seq, size);
      return { covered, messages: sealMessages(lane, seal.note, covered, proofOf) };
    },
    tell: (at: Told): void => {
      if (at.size > told.size) told = at;
    },
    told: (): Told => told,
    sealed: (): Told => sealed,
    /** Since when the oldest entry waits; undefined when none does. */
    oldestMs: (): number | undefined => unsealed[0]?.timeMs,
    proof: (seq: number): string[] => tree.inclusion(seq, sealed.size).map(toBase64),
  };
};

export const unsealedOf = (
  { seq }: AssembledEntry,
  chains: SealedEntry["chains"],
  at: Pick<UnsealedEntry, "timeMs" | "savedMs">,
  trace: string | undefined,
): UnsealedEntry => ({ seq, chains, ...at, trace });
