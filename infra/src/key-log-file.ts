// The copy of the key log that lies beside the policy, for offline verification: the cosigned
// checkpoint, its entries, and the rate sheets that receipts of this folder cite.
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { fetchKeyLog, makeLogReader } from "@sealane/client";
import type { Home } from "./home.ts";

/** Writes `keylog` anew from the ledger; sheets that are there already stay. */
export const writeKeyLogFile = async (home: Home, ledgerUrl: string): Promise<void> => {
  const path = home.path("keylog");
  const { checkpoint, entries } = await fetchKeyLog(makeLogReader(`${ledgerUrl}/log/keys`));
  const before = existsSync(path)
    ? (JSON.parse(readFileSync(path, "utf8")) as { sheets?: string[] })
    : {};
  const copy = { checkpoint, entries, sheets: before.sheets ?? [] };
  writeFileSync(`${path}.new`, `${JSON.stringify(copy, undefined, 1)}\n`);
  renameSync(`${path}.new`, path);
};
