// `sealane audit`: replays a log or an export, recomputes everything and prints what it comes to. Exit
// code 1 and the position at the first difference. The last line of --json is the verdict.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { amountOf, compareMoves, type MovesVerdict } from "@sealane/rules";
import { fromUtf8 } from "@sealane/tlog";
import type { Command } from "commander";
import { auditLog } from "./audit-log.ts";
import type { AuditDifference, AuditReport, CursorFile, SeenCheckpoints } from "./audit-types.ts";
import { CliError } from "./cli-error.ts";
import { loadPolicy, readBytes, readDefaults, type Defaults } from "./defaults.ts";
import { laneFolder, laneOf, originAt, placesOf } from "./lane-places.ts";
import { columns, out, outJson, running, startProgress } from "./output.ts";
import { parseKeysCopy } from "./read-keys.ts";
import { loadRoots } from "./roots-file.ts";
import { writeWhole } from "./receipt-files.ts";

type AuditFlags = {
  readonly policy?: string;
  readonly keys?: string;
  readonly roots?: string;
  readonly signatures: boolean;
  readonly balances?: string | true;
  readonly token?: string;
  readonly remember?: string;
  readonly cursor?: string;
  readonly json?: boolean;
};

type Audited = Extract<AuditReport, { readonly ok: true }>;

/** Amounts in major units, as everywhere outside. */
const totalsView = ({ totals }: Audited): object => ({
  ...totals,
  flows: totals.flows.map(({ currency, sent, received, fees }) => ({
    currency,
    sent: amountOf(sent, currency),
    received: amountOf(received, currency),
    fees: amountOf(fees, currency),
  })),
  balances: totals.balances.map(({ account, currency, debits, credits }) => ({
    account,
    currency,
    debits: amountOf(debits, currency),
    credits: amountOf(credits, currency),
  })),
  sums: totals.sums.map(({ currency, difference }) => ({
    currency,
    difference: amountOf(difference, currency),
  })),
});

const showTotals = ({ totals }: Audited): string => {
  const ends = Object.entries(totals.transfers).map(([name, count]) => `${count} ${name}`);
  const flows = totals.flows.map(({ currency, sent, received, fees }) => [
    currency,
    ...[sent, received, fees].map((minor) => amountOf(minor, currency)),
  ]);
  const balances = totals.balances.map(({ account, currency, debits, credits }) => [
    account,
    currency,
    ...[debits, credits].map((minor) => amountOf(minor, currency)),
  ]);
  const parts = [`  transfers: ${ends.join(", ")}`];
  if (flows.length > 0) {
    parts.push(columns([["", "sent", "received", "fees"], ...flows], [1, 2, 3]));
  }
  if (balances.length > 0) {
    parts.push(columns([["account", "", "debits", "credits"], ...balances], [2, 3]));
  }
  return parts.join("\n\n");
};

const show = (report: Audited): void => {
  const { origin, entries, root, cosignedBy, keysSize, seconds, balancesCompared } = report;
  out(`${origin}: ${entries} entries, ${keysSize} of the key log`);
  out(`  root ${root}, cosigned by ${cosignedBy.join(", ")}\n`);
  out(`${showTotals(report)}\n`);
  const { from } = report;
  if (from > 0) out(`Entries before ${from} were audited before, and are unchanged.`);
  const signatures = report.signatures ? "every signature" : "no signatures (--no-signatures)";
  out(
    `${entries - from} entries replayed in ${seconds.toFixed(2)} s, ${report.entriesPerSecond} entries/s, ${signatures}. ` +
      "Root, tiles, chains, postings and sums agree.",
  );
  if (balancesCompared !== undefined) {
    out(`All ${balancesCompared} balances of reconciliation are the recomputed ones.`);
  }
  const { windows, windowsCompared } = report;
  if (windows > 0) out(`${windows} settlement windows were recomputed; each sums to zero.`);
  if (windowsCompared !== undefined) {
    out(`All ${windowsCompared} windows of reconciliation are the recomputed ones.`);
  }
};

const movesView = ({ moved, inTransit, notCompared }: Extract<MovesVerdict, { ok: true }>) => ({
  moved,
  inTransit: inTransit.map(({ from, body }) => ({ from, ...body })),
  notCompared,
});

const movesText = (moves: MovesVerdict): string => {
  if (!moves.ok) return `entry ${moves.position}: ${moves.detail} (${moves.code}).`;
  const { moved, inTransit, notCompared } = moves;
  const later = notCompared === 0 ? "" : `, ${notCompared} later than what was read`;
  return `Moved between them: ${moved}, in transit: ${inTransit.length}${later}.`;
};

/** A line for each log, and the verdict over all of them: the last line. */
const showJson = (reports: readonly AuditReport[], moves: MovesVerdict | undefined): void => {
  let sum = 0;
  let took = 0;
  for (const report of reports) {
    if (!report.ok) return outJson(report);
    const {
      ok: _ok,
      entries,
      entriesPerSecond: _rate,
      seen: _seen,
      moves: _moves,
      ...rest
    } = report;
    outJson({ event: "audited", entries, ...rest, totals: totalsView(report) });
    sum += entries;
    took += report.seconds;
  }
  if (moves?.ok === false) return outJson({ ...moves, entries: sum });
  const between = moves === undefined || reports.length < 2 ? {} : { moves: movesView(moves) };
  outJson({
    ok: true,
    ...between,
    entries: sum,
    entriesPerSecond: Math.round(sum / Math.max(took, 0.001)),
  });
};

const showDifference = ({ position, code, detail, entries }: AuditDifference): void => {
  // Nothing was read: most likely it is the wrong place, and that is no verdict on any log.
  if (code === "log-refused" && position === undefined && entries === 0) {
    out(`There is no log to audit: ${detail} (${code}).`);
    out("Give the URL of a log, such as http://127.0.0.1:8083/log, or the folder of an export.");
    return;
  }
  const where = position === undefined ? "" : ` at position ${position}`;
  out(`The log does not stand${where}: ${detail} (${code}).`);
  if (entries > 0) out(`${entries} entries were replayed.`);
};

/** The checkpoints in a folder: an earlier export's, or those that this command left there. */
const readSeen = (folder: string): SeenCheckpoints | undefined => {
  if (!existsSync(join(folder, "checkpoint"))) return undefined;
  const read = (path: string): string =>
    fromUtf8(readBytes(join(folder, path), "a remembered checkpoint"));
  return { log: read("checkpoint"), keys: read("keys/checkpoint") };
};

const keepSeen = (folder: string, { log, keys }: SeenCheckpoints): void => {
  writeWhole(join(folder, "keys", "checkpoint"), keys);
  writeWhole(join(folder, "checkpoint"), log);
};

const cursorFile = (path: string): CursorFile => ({
  read: () => (existsSync(path) ? readBytes(path, "the cursor") : undefined),
  write: (cursor) => writeWhole(path, cursor),
});

const balancesUrlOf = (flag: AuditFlags["balances"], defaults: Defaults): string | undefined => {
  if (flag !== true) return flag;
  if (defaults.reconciliation !== undefined) return defaults.reconciliation;
  const action = "Give it: --balances URL.";
  throw new CliError("reconciliation-missing", "no URL of reconciliation is known", action);
};

const deskTokenOf = (url: string | undefined, { staffToken }: Defaults): string | undefined => {
  if (url === undefined || staffToken === undefined || !existsSync(staffToken)) return undefined;
  return fromUtf8(readBytes(staffToken, "the desk's token")).trim();
};

/** Everything in one lane's books of reconciliation is below its path, the first lane's excepted. */
const booksOf = (url: string | undefined, at: number, origin: string): string | undefined =>
  url === undefined || at === 0 ? url : `${url}/lanes/${laneOf(origin)}`;

const runAudit = async (place: string | undefined, flags: AuditFlags): Promise<boolean> => {
  const defaults = readDefaults();
  const places = placesOf(place, defaults);
  const reports: AuditReport[] = [];
  for (const [at, log] of places.entries()) {
    const report = await auditOne(log, flags, defaults, places.length > 1 ? at : undefined);
    reports.push(report);
    if (!report.ok) break;
  }
  const whole = reports.filter((report) => report.ok);
  if (whole.length < reports.length) {
    if (flags.json === true) showJson(reports, undefined);
    return false;
  }
  const moves = compareMoves(whole.map((report) => report.moves));
  if (flags.json === true) showJson(reports, moves);
  else if (!moves.ok) out(`The lanes do not fit: ${moves.origin}, ${movesText(moves)}`);
  else if (places.length > 1) out(`All ${places.length} lanes stand. ${movesText(moves)}`);
  return moves.ok;
};

/** @param at which of several logs; undefined where there is one */
const auditOne = async (
  log: string,
  flags: AuditFlags,
  defaults: Defaults,
  at: number | undefined,
): Promise<AuditReport> => {
  const { policy, path } = loadPolicy(flags.policy, defaults);
  const { keys: keysPath, token, signatures } = flags;
  const text = keysPath === undefined ? undefined : readBytes(keysPath, "the copy of the key log");
  const keys = text === undefined ? undefined : parseKeysCopy(fromUtf8(text));
  const books = balancesUrlOf(flags.balances, defaults);
  const deskToken = deskTokenOf(books, defaults);
  const progress = startProgress("audit", "entries");
  const secret =
    token === undefined ? undefined : fromUtf8(readBytes(token, "the token's file")).trim();
  const origin = at === undefined ? "" : await originAt(log, secret);
  const balancesUrl = booksOf(books, at ?? 0, origin);
  const remember =
    flags.remember === undefined || at === undefined
      ? flags.remember
      : laneFolder(flags.remember, origin);
  const report = await auditLog({
    log,
    policy,
    keys,
    roots: loadRoots(flags.roots, path),
    signatures,
    balancesUrl,
    deskToken,
    token: secret,
    remembered: remember === undefined ? undefined : readSeen(remember),
    cursor: flags.cursor === undefined ? undefined : cursorFile(flags.cursor),
    onProgress: progress.to,
  }).finally(progress.end);
  if (report.ok && remember !== undefined) keepSeen(remember, report.seen);
  if (flags.json !== true) {
    if (report.ok) show(report);
    else showDifference(report);
  }
  return report;
};

/** Adds `audit` to the program. */
export const registerAudit = (program: Command): void => {
  program
    .command("audit")
    .description("replay a log and recompute everything from its entries alone")
    .argument("[place]", "URL of the log, or the folder of an export")
    .option("--policy <file>", "whom you trust: a C2SP tlog-policy")
    .option(
      "--roots <file>",
      "participants' root keys that you pinned; default: roots beside the policy",
    )
    .option("--keys <file>", "copy of the key log; default: the one beside the log")
    .option("--no-signatures", "recompute everything, but judge no signature of an entry")
    .option("--balances [url]", "compare with reconciliation's balances")
    .option("--token <file>", "an auditor's token, where entries are not open")
    .option("--remember <folder>", "refuse a log that has not grown from what was seen last time")
    .option("--cursor <file>", "go on where the last audit with this file ended; made if missing")
    .option("--json", "print JSON lines; the last one is the verdict")
    .action((place: string | undefined, flags: AuditFlags) =>
      running(flags.json === true, () => runAudit(place, flags)),
    );
};
