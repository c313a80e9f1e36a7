// What the parts of a world take up on disk, in blocks, as the file system counts them.
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { FaultWorld } from "../world.ts";

const bytesOf = (path: string): number => {
  try {
    const stat = statSync(path);
    if (!stat.isDirectory()) return stat.blocks * 512;
    return readdirSync(path).reduce((sum, name) => sum + bytesOf(join(path, name)), 0);
  } catch {
    return 0; // files of a running database come and go
  }
};

/** MiB by what wrote them. */
export const diskOf = ({ dir, stack }: FaultWorld): Record<string, number> => {
  const places = {
    kafka: join(dir, "kafka"),
    postgres: join(dir, "postgres"),
    tiles: stack.home.path("tiles"),
    state: stack.home.path("state"),
    logs: join(dir, "logs"),
  };
  return Object.fromEntries(
    Object.entries(places).map(([name, path]) => [name, Math.round(bytesOf(path) / 1_048_576)]),
  );
};
