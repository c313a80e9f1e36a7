// What files take up on disk, in blocks, as the file system counts them.
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** Bytes of a file, or of all files below a folder. */
export const sizeOf = (path: string): number => {
  try {
    const stat = statSync(path);
    if (!stat.isDirectory()) return stat.blocks * 512;
    return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
  } catch {
    return 0; // files of a running database come and go
  }
};
