// Where a world keeps what: its folder, `.sealane/`, and the keys in it.
import { join } from "node:path";

export type Home = {
  /** The world's folder, `.sealane/`. */
  readonly dir: string;
  readonly keys: (...parts: string[]) => string;
  readonly path: (...parts: string[]) => string;
};

export const homeAt = (dir: string): Home => ({
  dir,
  keys: (...parts) => join(dir, "keys", ...parts),
  path: (...parts) => join(dir, ...parts),
});
