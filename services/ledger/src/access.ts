// Who may read entries, and the record of who did. Checkpoints and hash tiles are open; whole bundles are
// for auditors with a token that an operator signed and that ends by itself, and for the operator's own
// services; a participant reads what is in its own chain. The one exception is the local stack.
import { readFileSync } from "node:fs";
import { bearerAuth, bearerToken, type Authenticator } from "@sealane/http";
import { auditorOf, type KeyState } from "@sealane/rules";
import { ConfigError } from "@sealane/runtime";
import { fromBase64 } from "@sealane/tlog";

/** JSON: name → SHA-256 of its token, base64. */
export const readTokenDigests = (path: string): Map<string, Uint8Array> => {
  const digests = JSON.parse(readFileSync(path, "utf8")) as Record<string, string>;
  return new Map(Object.entries(digests).map(([name, digest]) => [name, fromBase64(digest)]));
};

const loopback = /^(?:127(?:\.\d{1,3}){3}|::1)$/;

/**
 * Entries without a token are for the local stack alone.
 * @throws ConfigError when this ledger listens anywhere but on this machine's own address
 */
export const refuseOpenBundles = (open: "yes" | "no", host: string): void => {
  if (open === "no" || loopback.test(host)) return;
  throw new ConfigError([
    {
      variable: "SEALANE_OPEN_BUNDLES",
      problem: `"yes" is for a ledger on 127.0.0.1 alone: unset it, and give auditors tokens`,
    },
  ]);
};

/**
 * Auditors by their signed tokens, and services of the operator by digests of theirs.
 * @param keys the key log of now; before it was read nobody is an auditor
 */
export const auditorAuth = (options: {
  readonly services: ReadonlyMap<string, Uint8Array>;
  readonly keys: () => KeyState | undefined;
  readonly clock: () => number;
}): Authenticator => {
  const ofService = bearerAuth(options.services);
  return (req) => {
    const service = ofService(req);
    if (service !== undefined) return service;
    const token = bearerToken(req);
    const state = options.keys();
    if (token === undefined || state === undefined) return undefined;
    return auditorOf(state, token, options.clock());
  };
};

/** Entries `from` to `to`, exclusive, of a log were read by somebody. */
export type EntriesRead = {
  readonly reader: string;
  readonly log: string;
  readonly from: number;
  readonly to: number;
};

/** Notes each read of entries: who and which, and nothing of what stands in them. */
export type NoteRead = (read: EntriesRead) => void;
