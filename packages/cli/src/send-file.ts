// `sealane send --file`: every row of a file as a transfer. A row's idempotency key is made from the
// file's own bytes, so that the same command again sends nothing twice and completes what was left.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { AdapterClient, BulkAnswer, BulkLine, RetryPolicy, Transfer } from "@sealane/client";
import { AdapterRefusal, AdapterUnavailable, entryOfReceipt, reasonText } from "@sealane/client";
import { isoReasonOf, refusalCodes, transferIdOf, type RefusalCode } from "@sealane/protocol";
import { SingleBar } from "cli-progress";
import { clientOf, participantOf, type CliConfig } from "./cli-config.ts";
import { CliError } from "./cli-error.ts";
import { keepKeys, logOf, receiptPath, writeWhole } from "./receipt-files.ts";
import { resultsCsv, summarise, type RowResult, type RowSummary } from "./row-results.ts";
import { readTransferRows, type TransferRow } from "./transfer-rows.ts";

export type SendFileOptions = {
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly json: boolean;
};

const waitSeconds = 30;
/** Codes of rows that may still go through. */
const unfinished: ReadonlySet<string> = new Set(["no-answer", "not-final"]);
/** How often a row that is not final yet is asked for, 30 s each. */
const mostLooks = 4;

/** A restart of the adapter, half a minute long, is waited out. */
const patient: RetryPolicy = { tries: 14, baseMs: 200, capMs: 4_000 };

/** Another payee's provider is another thing to do; the payer's is part of every transfer's id. */
export const rowKey = (fileHash: string, to: string, row: number): string =>
  `file.${fileHash}.${to}.${row}`;

const readRows = (file: string): { rows: readonly TransferRow[]; hash: string } => {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw new CliError("file-unreadable", `${file} cannot be read`, "Check its name.", cause);
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new CliError("file-not-utf8", `${file} is not UTF-8`, "Save it as UTF-8.", cause);
  }
  const read = readTransferRows(text);
  if (read.ok) return { rows: read.rows, hash: createHash("sha256").update(bytes).digest("hex") };
  const shown = read.faults.slice(0, 50).map(({ line, detail }) => `  line ${line}: ${detail}`);
  const more = read.faults.length > 50 ? [`  and ${read.faults.length - 50} more`] : [];
  const message = [`nothing was sent, ${file} is not right:`, ...shown, ...more].join("\n");
  throw new CliError("file-invalid", message, "Correct these lines and run it again.");
};

const lineOf = (row: TransferRow, idempotencyKey: string, participant: string): BulkLine => ({
  idempotencyKey,
  transfer: {
    payer: { account: row.payerAccount },
    payee: { participant, account: row.payeeAccount },
    amount: { currency: row.currency, amount: row.amount },
    ...(row.reference === "" ? {} : { reference: row.reference }),
  },
});

/** By the adapter's clock: the answer to a line tells all steps at once. */
const stepsOf = ({ steps }: Transfer, sentAtMs: number): Record<string, number> => {
  const since = (text: string | undefined): number =>
    text === undefined ? 0 : Math.max(0, Date.parse(text) - sentAtMs);
  const { acceptedAt, reservedAt, committedAt, sealedAt } = steps;
  return {
    accepted: since(acceptedAt),
    reserved: since(reservedAt),
    committed: since(committedAt),
    sealed: since(sealedAt),
  };
};

const ofTransfer = (row: number, replayed: boolean, transfer: Transfer): RowResult => ({
  row,
  transferId: transfer.transferId,
  status: transfer.status,
  ok: transfer.status === "sealed" || transfer.status === "credited",
  replayed,
  sent: transfer.sent,
  received: transfer.received,
  reason: transfer.reason ?? "",
  code: transfer.code ?? (transfer.final ? "" : "not-final"),
  detail: transfer.detail ?? reasonText(transfer.reason ?? ""),
});

/** A row that has no transfer to show. */
const without = (
  row: number,
  transferId: string,
  status: "refused" | "unknown",
  code: string,
  detail: string,
): RowResult => ({
  row,
  transferId,
  status,
  ok: false,
  replayed: false,
  sent: undefined,
  received: undefined,
  reason: Object.hasOwn(refusalCodes, code) ? isoReasonOf(code as RefusalCode) : "",
  code,
  detail,
});

const finish = async (client: AdapterClient, transfer: Transfer): Promise<Transfer> => {
  let seen = transfer;
  for (let looks = 0; !seen.final && looks < mostLooks; looks += 1) {
    seen = await client.get(transfer.transferId, { waitSeconds });
  }
  return seen;
};

const tellRow = (result: RowResult, log: string): void => {
  const { ok, replayed, status, sent, received, row, transferId } = result;
  const { reason, code, detail, steps, receipt } = result;
  const event = { event: ok ? "sealed" : status, row, transferId, sent, received, replayed };
  const rest = ok ? { steps, receipt, log } : { reason, code, detail };
  process.stdout.write(`${JSON.stringify({ ...event, ...rest })}\n`);
};

/** Receipts of rows, on disk; `entries` has one entry for each sheet that they cite. */
type Receipts = {
  readonly keep: (transferId: string) => Promise<string | undefined>;
  readonly entries: () => Iterable<string>;
  /** URL of the log that a transfer is in. */
  readonly log: (transferId: string) => string;
};

const keepReceipts = (config: CliConfig, client: AdapterClient): Receipts => {
  const bySheet = new Map<string, string>();
  const logs = new Map<string, string>();
  return {
    log: (transferId) => logs.get(transferId) ?? config.log,
    keep: async (transferId) => {
      try {
        const receipt = await client.receipt(transferId, { waitSeconds });
        const entry = entryOfReceipt(receipt);
        bySheet.set(/"sheet":\{[^}]*"hash":"([^"]*)"/.exec(entry)?.[1] ?? "", entry);
        if (config.logs.length > 1) logs.set(transferId, logOf(config, entry));
        const path = receiptPath(config, transferId);
        writeWhole(path, receipt);
        return path;
      } catch (error) {
        // The transfer is sealed all the same: `sealane receipt` fetches it later.
        if (!(error instanceof AdapterUnavailable || error instanceof AdapterRefusal)) throw error;
        process.stderr.write(`warning: no receipt of ${transferId}: ${error.message}\n`);
        return undefined;
      }
    },
    entries: () => bySheet.values(),
  };
};

const progressBar = (total: number, quiet: boolean): SingleBar | undefined => {
  if (quiet || !process.stderr.isTTY) return undefined;
  const format = "  {bar} {value}/{total} rows, {eta_formatted} left";
  const bar = new SingleBar({ format, stream: process.stderr, hideCursor: true });
  bar.start(total, 0);
  return bar;
};

/** Sends the rows; those without an answer in the end are `unknown`. */
const sendRows = async (
  client: AdapterClient,
  payer: string,
  rows: readonly TransferRow[],
  lines: readonly BulkLine[],
  receipts: Receipts,
  onResult: (result: RowResult) => void,
): Promise<AdapterUnavailable | undefined> => {
  const open = new Map(rows.map(({ row }, index) => [index, row]));
  const late: Promise<void>[] = [];
  const take = async (answer: BulkAnswer): Promise<void> => {
    const row = open.get(answer.index);
    if (row === undefined) return;
    if (answer.ok) {
      const { replayed, sentAtMs } = answer;
      const transfer = await finish(client, answer.transfer);
      const result = ofTransfer(row, replayed, transfer);
      const receipt = result.ok ? await receipts.keep(result.transferId) : undefined;
      onResult({
        ...result,
        receipt,
        steps: replayed ? undefined : stepsOf(transfer, sentAtMs),
      });
    } else {
      const { code, detail, idempotencyKey } = answer;
      onResult(without(row, transferIdOf(payer, idempotencyKey), "refused", code, detail));
    }
    open.delete(answer.index);
  };
  const faults: unknown[] = [];
  const note = (error: unknown): void => void faults.push(error);
  try {
    for await (const answer of client.bulk(lines, { waitSeconds })) {
      late.push(take(answer).catch(note));
    }
  } catch (error) {
    note(error);
  }
  await Promise.all(late);
  for (const [index, row] of open) {
    const transferId = transferIdOf(payer, lines[index]?.idempotencyKey ?? "");
    onResult(without(row, transferId, "unknown", "no-answer", "no answer says how it ended"));
  }
  const serious = faults.find((error) => !(error instanceof AdapterUnavailable));
  if (serious !== undefined) throw serious as Error;
  return faults[0] as AdapterUnavailable | undefined;
};

const tellSummary = (
  results: readonly RowResult[],
  { sealed, failed, replayed, sent, received }: RowSummary,
  elapsedMs: number,
  path: string,
  receipts: string,
): void => {
  const list = (sums: Readonly<Record<string, string>>): string =>
    Object.entries(sums)
      .map(([code, sum]) => `${sum} ${code}`)
      .join(", ") || "nothing";
  const again = replayed > 0 ? ` (${replayed} of them before)` : "";
  const seconds = (elapsedMs / 1_000).toFixed(2);
  const bad = results.filter(({ ok }) => !ok);
  const lines = [
    ...bad
      .slice(0, 10)
      .map((one) => `  row ${one.row} ${one.status}: ${one.detail} (${one.reason || one.code})`),
    ...(bad.length > 10 ? [`  and ${bad.length - 10} more`] : []),
    `${sealed} of ${results.length} transfers sealed${again} in ${seconds} s, ${failed} failed`,
    `sent ${list(sent)}`,
    `received ${list(received)}`,
    `receipts ${receipts}`,
    `results ${path}`,
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
};

/** @returns whether every row went through */
export const sendFile = async (config: CliConfig, options: SendFileOptions): Promise<boolean> => {
  const { file, json } = options;
  const from = participantOf(config, options.from);
  const to = participantOf(config, options.to);
  const { rows, hash } = readRows(file);
  const lines = rows.map((row) => lineOf(row, rowKey(hash, to.id, row.row), to.id));
  const results: RowResult[] = [];
  const bar = progressBar(rows.length, json);
  const startedMs = performance.now();
  const client = clientOf(from, patient);
  const receipts = keepReceipts(config, client);
  const fault = await sendRows(client, from.id, rows, lines, receipts, (result) => {
    results.push(result);
    bar?.increment();
    if (json) tellRow(result, receipts.log(result.transferId));
  });
  for (const entry of receipts.entries()) await keepKeys(config, entry);
  bar?.stop();
  const elapsedMs = performance.now() - startedMs;
  results.sort((left, right) => left.row - right.row);
  const path = `${file}.results.csv`;
  writeWhole(path, resultsCsv(results));
  const summary = summarise(results);
  if (json) {
    const ms = Math.round(elapsedMs);
    process.stdout.write(
      `${JSON.stringify({ event: "summary", ...summary, ms, results: path })}\n`,
    );
  } else tellSummary(results, summary, elapsedMs, path, config.receipts);
  if (fault !== undefined) process.stderr.write(`error: ${fault.message}\n`);
  const open = results.filter(({ code }) => unfinished.has(code)).length;
  if (open > 0) {
    const text = `${open} rows have no final outcome: run the same command again, nothing is sent twice`;
    process.stderr.write(`       ${text}\n`);
  }
  return summary.failed === 0;
};
