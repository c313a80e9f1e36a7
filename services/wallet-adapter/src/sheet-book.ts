// The rate sheets that this adapter has seen logged: it quotes from nothing else (`decisions.md`).
import { noteHash, parseTime, type RateSheet, type RateWithdrawal } from "@sealane/protocol";

export type LoggedSheet = {
  readonly sheet: RateSheet;
  readonly note: string;
  readonly hash: string;
};

export type SheetBook = {
  readonly add: (sheet: RateSheet, note: string) => void;
  readonly withdraw: (withdrawal: RateWithdrawal) => void;
  /** The newest sheet for a pair that may be quoted from now. */
  readonly current: (from: string, to: string, nowMs: number) => LoggedSheet | undefined;
  /** A sheet of the same provider, pair and rate that may be cited now. */
  readonly alike: (sheet: RateSheet, nowMs: number) => LoggedSheet | undefined;
  readonly byHash: (hash: string) => LoggedSheet | undefined;
  readonly all: () => readonly LoggedSheet[];
};

export const makeSheetBook = (): SheetBook => {
  const newest = new Map<string, LoggedSheet>();
  const known = new Map<string, LoggedSheet>();
  return {
    add: (sheet, note) => {
      const logged = { sheet, note, hash: noteHash(note) };
      known.set(logged.hash, logged);
      // Terms that cite an old sheet end within minutes: a few are enough.
      if (known.size > 64) known.delete(known.keys().next().value as string);
      const key = `${sheet.pair.from}/${sheet.pair.to}`;
      const before = newest.get(key);
      const newer =
        before === undefined ||
        before.sheet.provider !== sheet.provider ||
        before.sheet.number < sheet.number;
      if (newer) newest.set(key, logged);
    },
    withdraw: ({ provider, number, pair }) => {
      const key = `${pair.from}/${pair.to}`;
      const sheet = newest.get(key)?.sheet;
      if (sheet?.provider === provider && sheet.number === number) newest.delete(key);
    },
    current: (from, to, nowMs) => {
      const found = newest.get(`${from}/${to}`);
      if (found === undefined) return undefined;
      const { sheet } = found;
      const open = parseTime(sheet.from) <= nowMs && nowMs < parseTime(sheet.quoteUntil);
      return open ? found : undefined;
    },
    alike: ({ provider, pair, rate }, nowMs) =>
      [...known.values()].findLast(({ sheet }) => {
        const same =
          sheet.provider === provider &&
          sheet.rate === rate &&
          sheet.pair.from === pair.from &&
          sheet.pair.to === pair.to;
        return same && parseTime(sheet.from) <= nowMs && nowMs < parseTime(sheet.honourUntil);
      }),
    byHash: (hash) => known.get(hash),
    all: () => [...newest.values()],
  };
};
