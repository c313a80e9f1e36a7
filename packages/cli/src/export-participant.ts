// `sealane export --participant`: a participant's own entries, all of them, in one file that proves it.
// What the ledger gave is verified before it is written, by the same code that its readers run.
import { fetchKeyLog, makeLogReader, readOwnEntries } from "@sealane/client";
import { entryContextSchema, readNote, readStatement } from "@sealane/protocol";
import { fromUtf8, parseProof, type TlogPolicy } from "@sealane/tlog";
import { BundleFault, formatBundle, placeOf, type ChainClaim } from "./bundle-format.ts";
import { CliError } from "./cli-error.ts";
import { verifyBundle, type BundleVerdict } from "./verify-bundle.ts";

export type ParticipantExport = {
  readonly participant: string;
  /** The lane's log, such as `http://127.0.0.1:8083/log`. */
  readonly log: string;
  readonly token: string;
  readonly policy: TlogPolicy;
  readonly onProgress?: (place: number, size: number) => void;
};

export type ExportedBundle = {
  readonly text: string;
  readonly verdict: Extract<BundleVerdict, { readonly ok: true }>;
};

/** The number that a receipt's entry has in a participant's chain. */
const numberOf = (receipt: string, participant: string): number | undefined => {
  const note = readNote(fromUtf8(parseProof(receipt).extra ?? new Uint8Array()));
  const read = note.ok ? readStatement(note.note, "entry", entryContextSchema) : undefined;
  if (read?.ok !== true) return undefined;
  return read.statement.body.chains.find((link) => link.participant === participant)?.n;
};

const claimOf = (receipts: readonly string[], participant: string): ChainClaim => {
  const [first, last] = [receipts[0], receipts.at(-1)];
  if (first === undefined || last === undefined) {
    const action = "Ask again after its first entry is sealed.";
    throw new CliError("nothing-to-export", `${participant} has no sealed entry`, action);
  }
  return {
    participant,
    origin: placeOf(first).origin,
    first: numberOf(first, participant) ?? 0,
    last: numberOf(last, participant) ?? 0,
  };
};

/** Turns a verdict or a fault of our own making into what is told. @throws CliError */
export const mustStand = (verdict: BundleVerdict, source: string): ExportedBundle["verdict"] => {
  if (verdict.ok) return verdict;
  const { code, line, detail } = verdict;
  const message = `what ${source} gave does not stand, line ${line}: ${detail} (${code})`;
  throw new CliError(code, message, "Keep it as evidence, and ask another participant.");
};

/** @throws CliError, LogReadError */
export const exportParticipant = async (options: ParticipantExport): Promise<ExportedBundle> => {
  const { participant, log, token, policy, onProgress } = options;
  const ledgerUrl = log.replace(/\/log\/?$/, "");
  const own = await readOwnEntries({ ledgerUrl, token, onProgress });
  const keys = await fetchKeyLog(makeLogReader(`${log.replace(/\/+$/, "")}/keys`));
  const chain = claimOf(own.receipts, participant);
  try {
    const text = formatBundle({
      keyCheckpoint: keys.checkpoint,
      keyEntries: keys.entries,
      sheets: own.sheets,
      chain,
      receipts: own.receipts,
    });
    return { text, verdict: mustStand(verifyBundle(text, policy), ledgerUrl) };
  } catch (error) {
    if (!(error instanceof BundleFault)) throw error;
    throw new CliError(error.code, error.message, "The ledger left out what its entries cite.");
  }
};
