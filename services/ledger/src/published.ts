// The two logs as they are served: the lane's and the key log's.
import type { BundleFiles } from "./bundle-files.ts";
import type { KeyLog } from "./key-log.ts";
import type { LaneStore } from "./lane-store.ts";
import type { LaneWriter } from "./lane-writer.ts";
import type { PublishedLog } from "./log-routes.ts";
import type { Tree } from "./tree.ts";

export const publishedLane = (
  origin: string,
  writer: Pick<LaneWriter, "seals">,
  store: Pick<LaneStore, "readEntries">,
  tree: Pick<Tree, "size" | "tile">,
  files: Pick<BundleFiles, "bundle">,
): PublishedLog => ({
  origin,
  checkpoint: () => {
    const { note } = writer.seals.sealed();
    return note === "" ? undefined : note;
  },
  // What is stored, also while the lane begins again: what was published once is never "not there".
  size: tree.size,
  tile: tree.tile,
  entries: store.readEntries,
  bundle: files.bundle,
});

export const publishedKeyLog = (keyLog: KeyLog): PublishedLog => ({
  origin: keyLog.history().origin,
  checkpoint: keyLog.sealedNote,
  size: () => keyLog.entries().length,
  tile: keyLog.tree.tile,
  entries: (from, to) => {
    const entries = keyLog.entries().slice(from, to);
    return Promise.resolve(entries.map((entry) => Buffer.from(entry, "utf8")));
  },
});
