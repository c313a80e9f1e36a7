// Receipts, made from the published log as anybody reads it: the console has no way of its own into the
// ledger. What it shows as checked, it has checked here, by the pinned policy.
import type { LogReader } from "@sealane/client";
import { formatTime } from "@sealane/protocol";
import {
  checkCheckpoint,
  formatProof,
  hashReaderFromTiles,
  inclusionProof,
  leafHash,
  tilePath,
  TILE_WIDTH,
  TlogError,
  utf8,
  verifyInclusion,
  type TlogPolicy,
} from "@sealane/tlog";
import type { CheckpointView, Verdict } from "./api-types.ts";

class TileWanted extends Error {
  readonly level: number;
  readonly index: number;

  constructor(level: number, index: number) {
    super(`tile ${level}/${index} is not at hand`);
    this.level = level;
    this.index = index;
  }
}

/** The hashes that lead from an entry to a tree's root: some two tiles for each level of tiles. */
export const fetchProof = async (
  fetchTile: (path: string) => Promise<Uint8Array>,
  seq: number,
  size: number,
): Promise<Uint8Array[]> => {
  const tiles = new Map<string, Uint8Array>();
  for (;;) {
    try {
      const read = hashReaderFromTiles((level, index) => {
        const tile = tiles.get(`${level}/${index}`);
        if (tile === undefined) throw new TileWanted(level, index);
        return tile;
      });
      return inclusionProof(seq, size, read);
    } catch (error) {
      if (!(error instanceof TileWanted)) throw error;
      const { level, index } = error;
      const hashes = Math.floor(size / TILE_WIDTH ** level) - index * TILE_WIDTH;
      const path = tilePath(level, index, Math.min(TILE_WIDTH, hashes));
      tiles.set(`${level}/${index}`, await fetchTile(path));
    }
  }
};

/**
 * A C2SP tlog-proof with the entry in it: what `sealane verify` takes.
 * @throws LogReadError when the log cannot be read
 */
export const makeReceipt = async (
  reader: Pick<LogReader, "fetch">,
  checkpoint: CheckpointView,
  seq: number,
  note: string,
): Promise<string> =>
  formatProof({
    extra: utf8(note),
    index: seq,
    hashes: await fetchProof(reader.fetch, seq, checkpoint.size),
    checkpoint: checkpoint.note,
  });

/** Whether an entry stands at its place under a checkpoint that a quorum has cosigned. */
export const judgeSeal = async (
  reader: Pick<LogReader, "fetch">,
  policy: TlogPolicy,
  checkpoint: CheckpointView | undefined,
  seq: number,
  note: string,
): Promise<Verdict> => {
  if (checkpoint === undefined || seq >= checkpoint.size) {
    return { ok: false, detail: "not sealed yet: no checkpoint with a quorum covers it" };
  }
  try {
    const { quorum, cosignedBy, checkpoint: head } = checkCheckpoint(policy, checkpoint.note);
    if (!quorum) return { ok: false, detail: "the checkpoint has too few cosignatures" };
    const hashes = await fetchProof(reader.fetch, seq, head.size);
    verifyInclusion(leafHash(utf8(note)), seq, head.size, hashes, head.root);
    const names = cosignedBy.map(({ name }) => name).join(", ");
    const times = cosignedBy.map(({ time }) => time).toSorted((a, b) => a - b);
    const at = formatTime((times[Math.floor((times.length - 1) / 2)] ?? 0) * 1_000);
    const proof = `${hashes.length} hashes lead to the root of ${head.size} entries`;
    return { ok: true, detail: `${proof}, cosigned by ${names} at ${at}` };
  } catch (error) {
    if (error instanceof TlogError) return { ok: false, detail: `${error.code}: ${error.message}` };
    return { ok: false, detail: "the log cannot be read: nothing is checked" };
  }
};
