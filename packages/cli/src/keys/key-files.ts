// Private keys and proposals on disk. A key that others on the machine can read is refused, and no file
// with a key is ever overwritten (`packages/signer`).
import { existsSync, readFileSync } from "node:fs";
import { OperationalError } from "@sealane/runtime";
import { KEY_TYPE, readKeyFile, type KeyMaterial } from "@sealane/signer";
import { CliError } from "../cli-error.ts";
import { writeWhole } from "../receipt-files.ts";
import { formatProposal, parseProposal, type Proposal } from "./proposal.ts";

const actions: Readonly<Record<string, string>> = {
  "secret-exposed": "chmod 600 it; if others may have read it, revoke that key.",
  "secret-missing": "Check the path; on this machine as the user who owns the key.",
  "key-malformed": "Give a file that `sealane keys generate` or Go's note tools wrote.",
  "key-exists": "Choose another file name, such as transfer-2.key beside transfer.key.",
  "key-name-invalid": "Name it below its participant, such as hk-wallet.example/k2.",
};

/** Runs what touches key files; what they refuse is told, not thrown as a bug. */
export const withKeyFaults = async <T>(run: () => T | Promise<T>): Promise<T> => {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    const action = actions[error.code] ?? "Look at the file.";
    throw new CliError(error.code, error.message, action, error);
  }
};

/** A key that signs statements. @throws CliError */
export const readSigningKey = (path: string): Promise<KeyMaterial> =>
  withKeyFaults(() => {
    const key = readKeyFile(path);
    if (key.type === KEY_TYPE.ed25519) return key;
    const action = "Give the participant's root or signing key, or an operator's.";
    throw new CliError("key-wrong-type", `${path} cosigns checkpoints, not statements`, action);
  });

export const readSigningKeys = (paths: readonly string[]): Promise<KeyMaterial[]> =>
  Promise.all(paths.map(readSigningKey));

/** @throws CliError */
export const readProposal = (path: string): Proposal => {
  if (!existsSync(path)) {
    throw new CliError("file-unreadable", `${path} is missing`, "Check the path.");
  }
  return parseProposal(readFileSync(path, "utf8"));
};

export const writeProposal = (path: string, proposal: Proposal): void =>
  writeWhole(path, formatProposal(proposal));
