// A desk for tests: a clock that is set, a lane that keeps what is sent, the key of whoever is given.
import { commandSchema, rateSheetSchema, readNote, readStatement } from "@sealane/protocol";
import { parseRate, type Rate } from "@sealane/money";
import type { Signer } from "@sealane/signer";
import { signNoteLine } from "@sealane/tlog";
import type { Reference } from "./feed.ts";
import { makeRateDesk, type RateDeskDeps } from "./rate-desk.ts";
import { openStateFile } from "./state-file.ts";

export type TestProvider = {
  readonly origin: string;
  readonly name: string;
  readonly seed: Uint8Array;
};

/** Signs as the real one does, from a seed of the test kit. */
const testSigner = ({ name, seed }: TestProvider): Pick<Signer, "signLine"> => ({
  signLine: (text) => Promise.resolve(signNoteLine(name, seed, text)),
});

export const goodReference: Reference = {
  ok: true,
  rate: parseRate("8.116529") as Rate,
  date: "2026-10-30",
};

export type TestDesk = ReturnType<typeof makeTestDesk>;

/** Begins a desk at a time, on a state file that may be of an earlier one. */
export const makeTestDesk = (provider: TestProvider, path: string, beginMs: number) => {
  let nowMs = beginMs;
  let reference: Reference = goodReference;
  let broken: Error | undefined;
  const sent: { readonly kind: string; readonly note: string }[] = [];
  const file = openStateFile(path, nowMs, (error) => {
    throw error;
  });
  const send: RateDeskDeps["producer"]["send"] = (records) => {
    if (broken !== undefined) return Promise.reject(broken);
    for (const { value } of records) {
      const command = commandSchema.parse(JSON.parse(String(value)));
      if ("note" in command) sent.push({ kind: command.kind, note: command.note });
    }
    return Promise.resolve();
  };
  const desk = makeRateDesk({
    origin: provider.origin,
    lane: 0,
    pairs: [
      { from: "HKD", to: "PHP" },
      { from: "PHP", to: "HKD" },
    ],
    settings: {
      provider: "fx-desk.example",
      spreadBasisPoints: "50",
      maxTransfer: "500000.00",
      totalPerLane: "1000000000.00",
      quoteMs: 600_000,
    },
    reference: () => reference,
    signer: testSigner(provider),
    producer: { send },
    file,
    clock: () => nowMs,
    log: { info: () => undefined, warn: () => undefined },
  });
  return {
    desk,
    file,
    sent,
    at: (ms: number): void => void (nowMs = ms),
    feed: (next: Reference): void => void (reference = next),
    breakKafka: (error: Error | undefined): void => void (broken = error),
    /** What the ledger would do with all that was sent: it is on the log. */
    logAll: (): void => {
      for (const [seq, sheet] of file.state.sheets.entries()) sheet.seq ??= seq;
    },
    sheets: () =>
      sent.flatMap(({ kind, note }) => {
        const read = readNote(note);
        const sheet = read.ok ? readStatement(read.note, "rate-sheet", rateSheetSchema) : undefined;
        return kind === "rate-sheet" && sheet?.ok === true ? [sheet.statement.body] : [];
      }),
  };
};
