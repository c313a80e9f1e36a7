// Signing through a rotation. A key file `transfer.key` and its siblings `transfer-<anything>.key` are
// one family: what is signed is signed by the newest of them that the key log has in force. So a new
// key is put beside the old one, registered, and used as soon as the log says so, with no restart; and
// one that was revoked signs nothing more.
import { readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { OperationalError } from "@sealane/runtime";
import { KEY_TYPE, readKeyFile } from "./key-file.ts";
import { signerOf, type Signer } from "./signer.ts";

export type KeyFamilyOptions = {
  /** `…/transfer.key`; it may be gone once a sibling is in force. */
  readonly file: string;
  /**
   * Verifier keys of this owner for this purpose that are in force, newest first; the same array
   * while nothing changed. Undefined while the key log has not been read.
   */
  readonly inForce: () => readonly string[] | undefined;
  readonly clock: () => number;
  /** A sibling that cannot be used: exposed to others, malformed, of another type. */
  readonly onFault: (path: string, error: unknown) => void;
};

export type KeyFamily = Signer & {
  /** Why nothing can be signed now; undefined when it can. */
  readonly trouble: () => string | undefined;
};

/** A key may be registered before its file is there: how often the folder is read again. */
const rescanMs = 1_000;

/** Files of the family, by name. */
const filesOf = (file: string): string[] => {
  const folder = dirname(file);
  const stem = basename(file).replace(/\.key$/, "");
  const belongs = (name: string): boolean =>
    name === basename(file) || (name.startsWith(`${stem}-`) && name.endsWith(".key"));
  return readdirSync(folder)
    .filter(belongs)
    .sort()
    .map((name) => join(folder, name));
};

/**
 * Opens a family of signing keys. The key is chosen anew for every signature.
 * @throws OperationalError when no file of the family can be read; later, from `sign…`, with code
 * `no-key-in-force` when the key log has none of them in force
 * @example keyFamily({ file: "keys/transfer.key", inForce, clock: Date.now, onFault: log })
 */
export function keyFamily(options: KeyFamilyOptions): KeyFamily {
  const { file, inForce, clock, onFault } = options;
  const held = new Map<string, Signer>();
  const seen = new Set<string>();
  let scannedAtMs = Number.NEGATIVE_INFINITY;

  const take = (path: string): void => {
    const material = readKeyFile(path);
    if (material.type !== KEY_TYPE.ed25519) {
      const message = `${path} holds a key of another type: give one that signs notes`;
      throw new OperationalError("key-wrong-type", message, { retryable: false });
    }
    seen.add(path);
    held.set(material.vkey, signerOf(material));
  };

  const scan = (): void => {
    scannedAtMs = clock();
    for (const path of filesOf(file)) {
      if (seen.has(path)) continue;
      try {
        take(path);
      } catch (error) {
        onFault(path, error);
      }
    }
  };

  scan();
  if (held.size === 0) take(file);

  let chosenFor: readonly string[] | undefined;
  let chosen: Signer | undefined;

  const choose = (): Signer | undefined => {
    const wanted = inForce();
    if (wanted === undefined) return held.values().next().value;
    const newest = wanted[0];
    const incomplete = newest !== undefined && !held.has(newest);
    if (wanted === chosenFor && !incomplete) return chosen;
    if (incomplete && clock() - scannedAtMs >= rescanMs) scan();
    chosenFor = wanted;
    chosen = wanted.map((vkey) => held.get(vkey)).find((signer) => signer !== undefined);
    return chosen;
  };

  const must = (): Signer => {
    const signer = choose();
    if (signer !== undefined) return signer;
    const message = `no key of ${file} or its siblings is in force: register one (sealane keys)`;
    throw new OperationalError("no-key-in-force", message, { retryable: true });
  };

  return {
    get name() {
      return must().name;
    },
    get keyId() {
      return must().keyId;
    },
    get publicKey() {
      return must().publicKey;
    },
    get vkey() {
      return must().vkey;
    },
    sign: async (text) => must().sign(text),
    signLine: async (text) => must().signLine(text),
    signMany: async (texts) => must().signMany(texts),
    trouble: () => (choose() === undefined ? "no signing key is in force" : undefined),
  };
}
