// Signs sheets and keeps one in force per pair. A sheet's number is the second it was signed in, at
// least one above the last, so that it grows whatever file or clock is lost. Order matters: number
// kept on disk, then sent; logged only when our own inbox says so.
import {
  laneTopic,
  noteHash,
  parseTime,
  rateSheetSchema,
  readNote,
  readStatement,
  statementText,
  type RateSheet,
  type RateWithdrawal,
} from "@sealane/protocol";
import type { Producer } from "@sealane/messaging";
import { invariant, pause } from "@sealane/runtime";
import type { Signer } from "@sealane/signer";
import { composeNote } from "@sealane/tlog";
import type { Pair, Reference } from "./feed.ts";
import { makeSheet, type SheetSettings } from "./make-sheet.ts";
import type { SignedSheet, StateFile } from "./state-file.ts";

export type RateDeskDeps = {
  readonly origin: string;
  readonly lane: number;
  readonly pairs: readonly Pair[];
  readonly settings: SheetSettings;
  /** Reads the feed anew and judges it. */
  readonly reference: (pair: Pair) => Reference;
  readonly signer: Pick<Signer, "signLine">;
  readonly producer: Pick<Producer, "send">;
  readonly file: StateFile;
  readonly clock: () => number;
  readonly log: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
  };
};

export type PairStatus = {
  readonly pair: string;
  readonly sheet: RateSheet | undefined;
  readonly seq: number | undefined;
  /** `ok`, or why nobody can quote this pair now. */
  readonly state: string;
};

/** The next sheet is out before the last stops quoting; that one ends 2 s of log time later. */
export const renewBeforeMs = 1_500;
/** At start a sheet that is in force longer than this is kept. */
const keepAboveMs = 60_000;
const retryMs = 5_000;
const tickMs = 250;
const produceDeadlineMs = 10_000;
const mostSheets = 64;

export const nameOf = ({ from, to }: Pair): string => `${from}/${to}`;

/** Seconds since 1970, and above every number that may have been used before. */
export const nextNumber = (last: number, nowMs: number): number =>
  Math.max(last + 1, Math.floor(nowMs / 1_000));

const parsed = new WeakMap<SignedSheet, RateSheet>();

export const sheetOf = (signed: SignedSheet): RateSheet => {
  const known = parsed.get(signed);
  if (known !== undefined) return known;
  const read = readNote(signed.note);
  const sheet = read.ok ? readStatement(read.note, "rate-sheet", rateSheetSchema) : undefined;
  invariant(sheet?.ok === true, "the state file keeps sheets that we wrote");
  parsed.set(signed, sheet.statement.body);
  return sheet.statement.body;
};

/** One after the other: a withdrawal never overtakes the sheet that it withdraws. */
const makeQueue = () => {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(work: () => Promise<T>): Promise<T> => {
    const next = last.then(work);
    last = next.catch(() => undefined);
    return next;
  };
};

export type RateDesk = ReturnType<typeof makeRateDesk>;

export const makeRateDesk = (deps: RateDeskDeps) => {
  const { pairs, file, clock, signer, log } = deps;
  const { state } = file;
  const inTurn = makeQueue();
  const topic = laneTopic(deps.lane);
  const stopping = new AbortController();
  const refusals = new Map<string, string>();
  /** When a pair that could not be quoted is tried again. */
  const notBefore = new Map<string, number>();

  const newestOf = (name: string): SignedSheet | undefined =>
    state.sheets.findLast(({ pair }) => pair === name);

  const produce = async (kind: "rate-sheet" | "rate-withdrawal", note: string): Promise<void> => {
    const value = JSON.stringify({ v: 1, kind, note });
    const key = deps.settings.provider;
    await deps.producer.send([{ topic, key, value }], { deadlineMs: produceDeadlineMs });
  };

  const sign = async (kind: string, body: unknown): Promise<string> => {
    const text = statementText(deps.origin, kind, body);
    return composeNote(text, [await signer.signLine(text)]);
  };

  const issue = async (pair: Pair): Promise<void> => {
    const name = nameOf(pair);
    if (state.halted[name] !== undefined) return;
    const reference = deps.reference(pair);
    if (!reference.ok) {
      refusals.set(name, `${reference.code}: ${reference.detail}`);
      log.warn({ pair: name, code: reference.code, detail: reference.detail }, "not quoting");
      return;
    }
    // One count for all pairs: a number never means two sheets of this desk.
    const last = Math.max(state.unknownUpTo, state.sheets.at(-1)?.number ?? 0);
    const number = nextNumber(last, clock());
    const sheet = makeSheet(deps.settings, pair, reference, number, clock());
    const note = await sign("rate-sheet", sheet);
    state.sheets.push({ number, pair: name, hash: noteHash(note), note });
    if (state.sheets.length > mostSheets) state.sheets.shift();
    await file.save();
    await produce("rate-sheet", note);
    refusals.delete(name);
    log.info({ pair: name, number, rate: sheet.rate, until: sheet.quoteUntil }, "sheet published");
  };

  const dueAt = (pair: Pair, starting: boolean): number => {
    const name = nameOf(pair);
    if (state.halted[name] !== undefined) return Number.POSITIVE_INFINITY;
    const newest = newestOf(name);
    if (newest === undefined || newest.withdrawn === true) return 0;
    const until = parseTime(sheetOf(newest).quoteUntil);
    if (starting) {
      return newest.seq !== undefined && until - clock() > keepAboveMs ? until - renewBeforeMs : 0;
    }
    return until - renewBeforeMs;
  };

  const attempt = async (pair: Pair): Promise<void> => {
    const name = nameOf(pair);
    try {
      await inTurn(() => issue(pair));
    } catch (err) {
      // It may be on its way all the same: the next one has a higher number.
      refusals.set(name, "the sheet could not be published");
      log.warn({ err, pair: name }, "the sheet could not be published");
    }
    if (refusals.has(name)) notBefore.set(name, clock() + retryMs);
    else notBefore.delete(name);
  };

  /** Issues what is due now. @param starting also replaces what is not logged or ends soon */
  const tick = async (starting: boolean): Promise<void> => {
    for (const pair of pairs) {
      const halted = state.halted[nameOf(pair)] !== undefined;
      const due = notBefore.get(nameOf(pair)) ?? dueAt(pair, starting);
      if (!halted && due <= clock()) await attempt(pair);
    }
  };

  /** Keeps every pair quoted until stopped. */
  const run = async (): Promise<void> => {
    for (let starting = true; !stopping.signal.aborted; starting = false) {
      await tick(starting);
      await pause(tickMs, stopping.signal);
    }
  };

  const status = (pair: Pair): PairStatus => {
    const name = nameOf(pair);
    const newest = newestOf(name);
    const sheet = newest && sheetOf(newest);
    const judge = (): string => {
      const halted = state.halted[name];
      if (halted !== undefined) return `withdrawn: ${halted}`;
      const open = sheet !== undefined && clock() < parseTime(sheet.quoteUntil);
      if (open && newest?.seq !== undefined) return "ok";
      return refusals.get(name) ?? (open ? "the sheet is not logged yet" : "no sheet is in force");
    };
    return { pair: name, sheet, seq: newest?.seq, state: judge() };
  };

  /** Takes the newest sheet back and quotes this pair no more, across restarts, until `resume`. */
  const withdraw = async (name: string, reason: string): Promise<SignedSheet | undefined> => {
    const newest = newestOf(name);
    state.halted[name] = reason;
    const over = newest === undefined || clock() >= parseTime(sheetOf(newest).honourUntil);
    if (!over) newest.withdrawn = true;
    await file.save();
    if (over) return undefined;
    // Signed again when it is asked again: the ledger takes the first, and refuses the second.
    const { provider, pair, number } = sheetOf(newest);
    const body: RateWithdrawal = { provider, pair, number, reason };
    await produce("rate-withdrawal", await sign("rate-withdrawal", body));
    log.warn({ pair: name, number, reason }, "sheet withdrawn");
    return newest;
  };

  return {
    tick,
    run,
    stop: (): void => stopping.abort(),
    statuses: (): PairStatus[] => pairs.map(status),
    withdraw: (name: string, reason: string) => inTurn(() => withdraw(name, reason)),
    resume: (name: string): Promise<void> =>
      inTurn(() => {
        delete state.halted[name];
        notBefore.delete(name);
        return file.save();
      }),
    /** The sheet of a hash, if this file knows it. */
    byHash: (hash: string): SignedSheet | undefined =>
      state.sheets.findLast((candidate) => candidate.hash === hash),
    /** A logged sheet's note; withdrawn ones too. */
    noteOf: (number: number, hash?: string): string | undefined =>
      state.sheets.find(
        (sheet) =>
          sheet.number === number &&
          sheet.seq !== undefined &&
          (hash === undefined || sheet.hash === hash),
      )?.note,
    /** A sheet or withdrawal of that number must be one that this file knows. */
    mustKnow: (number: number): boolean =>
      number > state.unknownUpTo && number >= (state.sheets[0]?.number ?? 0),
  };
};
