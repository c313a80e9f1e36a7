// The day's report: what happened, made of the log alone and held against everybody who says the same: the
// wallets' answers, reconciliation's Postgres, the bank's accounts, the audit. Each comparison is a check with
// a name; the day stands when all of them do. Amounts are decimal texts.
import { dayWorld } from "@sealane/infra";
import { amountOf } from "@sealane/rules";
import { openAuditedLog, type LogAudit } from "../src/audited-log.ts";
import { eventually } from "../src/eventually.ts";
import { sealaneJson } from "../src/sealane.ts";
import { formatOfBooks } from "./book-files.ts";
import type { DaySystem } from "./day-system.ts";
import type { DayEvents } from "./day.ts";
import { addTo, explain, perCurrency, sameSums, type Explained, type Sums } from "./explain.ts";

export type Check = { readonly name: string; readonly ok: boolean; readonly detail: string };

type Texts = Readonly<Record<string, string>>;
type Counts = Readonly<Record<string, number>>;

export type DayReport = {
  readonly ok: boolean;
  readonly checks: readonly Check[];
  readonly entries: number;
  /** What became of each transfer that was asked for, as its sender was told. */
  readonly transfers: { readonly asked: number; readonly repeated: number; readonly by: Counts };
  readonly wallets: readonly (Readonly<
    Record<
      | "participant"
      | "currency"
      | "sent"
      | "fees"
      | "received"
      | "returnedBy"
      | "returnedTo"
      | "turnover",
      string
    >
  > & { readonly fits: boolean })[];
  readonly givenBack: Counts;
  readonly windows: readonly {
    readonly name: string;
    readonly status: string;
    readonly members: number;
    /** What the window's nets come to, by currency: zero. */
    readonly sums: Texts;
    /** Each participant's, by `participant currency`. */
    readonly nets: Texts;
  }[];
  readonly bankFaults: readonly {
    readonly window: string;
    readonly fault: string;
    readonly led: string;
    readonly ok: boolean;
  }[];
  readonly bank: readonly {
    readonly owner: string;
    readonly currency: string;
    /** By which the account moved: what was settled, and what was paid in and out of cover. */
    readonly paid: string;
    readonly settled: string;
    readonly cover: string;
  }[];
  /** What was paid in and out of cover, as sentences. */
  readonly cover: readonly string[];
  readonly breaks: {
    readonly lines: Counts;
    /** As what each provider's books came. */
    readonly formats: Texts;
    readonly seededFaults: Counts;
    readonly seeded: Counts;
    readonly found: Counts;
    readonly missed: readonly string[];
    readonly falseAlarms: readonly string[];
    readonly ofBank: readonly string[];
    readonly resolved: string;
  };
  /** Each account's balance and what it is made of, by kind of entry. */
  readonly accounts: readonly {
    readonly account: string;
    readonly currency: string;
    readonly made: Texts;
    readonly balance: string;
  }[];
  readonly audit: Readonly<Record<string, unknown>>;
};

const countBy = <T>(all: readonly T[], keyOf: (one: T) => string): Counts => {
  const counts: Record<string, number> = {};
  for (const one of all) counts[keyOf(one)] = (counts[keyOf(one)] ?? 0) + 1;
  return Object.fromEntries(Object.entries(counts).toSorted(([a], [b]) => (a < b ? -1 : 1)));
};

const currencyIn = (key: string): string => key.slice(key.lastIndexOf(" ") + 1);

/** Keys end in a currency, or are one. */
const texts = (sums: Sums): Texts =>
  Object.fromEntries(
    [...sums]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, minor]) => [key, amountOf(minor, currencyIn(key))]),
  );

/** How each kind of request must end. */
const wantedEnd = {
  open: "committed",
  closed: "rejected AC04",
  blocked: "rejected AC06",
  unknown: "rejected AC03",
  "credit-fails": "committed",
  "keeps-money": "committed",
} as const;

const wantedReturn = {
  "not-credited": "done",
  whole: "done",
  half: "done",
  "too-much": "rejected",
  "recall-agreed": "done",
  "recall-refused": "rejected CUST",
} as const;

const check = (name: string, wrong: readonly string[], right: string): Check => ({
  name,
  ok: wrong.length === 0,
  detail: wrong.length === 0 ? right : wrong.slice(0, 5).join("; "),
});

const outcomeChecks = ({ answers, givenBack }: DayEvents, { verified }: LogAudit): Check[] => {
  const surprising = answers.flatMap(({ kind, tooLarge, outcome, line }) => {
    const wanted = tooLarge ? "rejected sheet-limit" : wantedEnd[kind];
    return outcome === wanted ? [] : [`${line.idempotencyKey} (${kind}): ${outcome}`];
  });
  const committed = new Set(
    verified.flatMap(({ kind, transferId, context }) =>
      kind === "transfer" && context.outcome === "committed" ? (transferId ?? []) : [],
    ),
  );
  const told = answers.flatMap(({ outcome, transfer }) =>
    outcome === "committed" ? (transfer?.transferId ?? []) : [],
  );
  const unlike = [
    ...told.filter((id) => !committed.has(id)).map((id) => `${id} is not in the log`),
    ...[...committed].filter((id) => !told.includes(id)).map((id) => `${id} was not told`),
  ];
  const backs = givenBack.flatMap(({ why, outcome }) =>
    outcome.startsWith(wantedReturn[why]) || (why === "too-much" && outcome.startsWith("refused"))
      ? []
      : [`${why}: ${outcome}`],
  );
  return [
    check("every transfer ends as its payee's account says", surprising, `${answers.length} do`),
    check(
      "senders were told what the log has",
      unlike,
      `${committed.size} committed on both sides`,
    ),
    check("what must come back came back, and no more", backs, `${givenBack.length} requests`),
  ];
};

const windowChecks = ({ windows }: DayEvents, explained: Explained): Check[] => {
  const { windowNets, saidNets, windowMembers, openMembers } = explained;
  const unlike: string[] = [];
  const notZero: string[] = [];
  for (const [name, sums] of windowNets) {
    if (!sameSums(sums, saidNets.get(name) ?? new Map())) unlike.push(name);
    if ([...perCurrency(sums).values()].some((sum) => sum !== 0n)) notZero.push(name);
  }
  const open = windows.flatMap(({ corridor, number, status }) =>
    status === "settled" ? [] : [`${corridor}/${number} is ${status}`],
  );
  const members = [...windowMembers.values()].reduce((sum, one) => sum + one, 0);
  const size = `${windowNets.size} windows`;
  return [
    check("each window's nets are the sums of its transfers", unlike, size),
    check("each window's nets sum to zero in every currency", notZero, size),
    check("every window is settled", open, size),
    check(
      "each transfer and return is in exactly one window",
      openMembers === 0 ? [] : [`${openMembers} are in a window that is open still`],
      `${members} in ${size}`,
    ),
  ];
};

type Balance = Readonly<Record<"account" | "currency" | "balance", string>>;

const booksAt = (system: DaySystem, size: number): Promise<readonly Balance[]> =>
  eventually("reconciliation has applied all", async () => {
    type Answer = { readonly asOf: number; readonly balances: readonly Balance[] };
    const { asOf, balances } = await system.ask<Answer>(`/v1/balances?asOf=${size}`);
    return asOf === size && balances;
  });

const accountsOf = ({ accounts }: Explained): DayReport["accounts"] =>
  [...accounts]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, kinds]) => {
      const [account = "", currency = ""] = key.split(" ");
      const made = [...kinds].map(([kind, minor]) => [kind, amountOf(minor, currency)]);
      const total = [...kinds.values()].reduce((sum, minor) => sum + minor, 0n);
      const balance = amountOf(total, currency);
      return { account, currency, made: Object.fromEntries(made) as Texts, balance };
    });

const balanceCheck = (accounts: DayReport["accounts"], books: readonly Balance[]): Check => {
  const told = new Map(books.map((one) => [`${one.account} ${one.currency}`, one.balance]));
  const wrong = accounts.flatMap(({ account, currency, balance }) => {
    const said = told.get(`${account} ${currency}`);
    return said === balance ? [] : [`${account} ${currency}: ${said ?? "nothing"}, not ${balance}`];
  });
  const more = books.length === accounts.length ? [] : [`${books.length} accounts in Postgres`];
  return check(
    "Postgres has what the log comes to",
    [...wrong, ...more],
    `${accounts.length} balances`,
  );
};

/** The bank's accounts moved by what was settled and by cover, and by nothing else. */
const bankMoves = (system: DaySystem) => {
  const first = 100_000_000_000_000n;
  return system.bank
    .accounts()
    .map(({ owner, currency, minor }) => ({ owner, currency, moved: minor - first }));
};

const both = ({ settled, cover }: Explained): Sums => {
  const sums: Sums = new Map(settled);
  for (const [key, minor] of cover) addTo(sums, key, minor);
  return sums;
};

const walletsOf = ({ flows, accounts }: Explained): DayReport["wallets"] =>
  [...flows]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, flow]) => {
      const [participant = "", currency = ""] = key.split(" ");
      const kinds = accounts.get(`${participant}:position ${currency}`);
      const turnover = (kinds?.get("transfer") ?? 0n) + (kinds?.get("return") ?? 0n);
      const fits = flow.received + flow.returnedTo - flow.sent - flow.returnedBy === turnover;
      const text = (minor: bigint): string => amountOf(minor, currency);
      return {
        participant,
        currency,
        sent: text(flow.sent),
        fees: text(flow.fees),
        received: text(flow.received),
        returnedBy: text(flow.returnedBy),
        returnedTo: text(flow.returnedTo),
        turnover: text(turnover),
        fits,
      };
    });

const breakChecks = ({ compared, faults, bankBreaks }: DayEvents): Check[] => {
  const expected = faults.flatMap(({ breaks }) => breaks).toSorted();
  const found = Object.values(compared.found).reduce((sum, count) => sum + count, 0);
  const ofBank = bankBreaks.map(({ kind }) => kind).toSorted();
  return [
    check("each seeded difference was found", compared.missed, `${found} breaks`),
    check("there is no false alarm", compared.falseAlarms, "none"),
    check(
      "what is wrong in a refused bank statement is a break",
      ofBank.join() === expected.join() ? [] : [`${ofBank.join()}, not ${expected.join()}`],
      ofBank.join(", "),
    ),
  ];
};

const windowsOf = ({ windows }: DayEvents, explained: Explained): DayReport["windows"] =>
  windows.map(({ corridor, number, status }) => {
    const name = `${corridor}/${number}`;
    const nets = explained.windowNets.get(name) ?? new Map<string, bigint>();
    const members = explained.windowMembers.get(name) ?? 0;
    return { name, status, members, sums: texts(perCurrency(nets)), nets: texts(nets) };
  });

/** Reads the log once more and compares it with everybody. */
export const makeReport = async (system: DaySystem, events: DayEvents): Promise<DayReport> => {
  const audit = await openAuditedLog(system).audit();
  const explained = explain(audit.verified, dayWorld.feeSchedules);
  const accounts = accountsOf(explained);
  const wallets = walletsOf(explained);
  const moves = bankMoves(system);
  const bankFaults = events.faults.map(({ window, fault, led, wanted }) => ({
    window,
    fault,
    led,
    ok: led === wanted,
  }));
  const moved = new Map(moves.map((one) => [`${one.owner} ${one.currency}`, one.moved]));
  const audited = await sealaneJson(system, ["audit", "--balances"]);
  const checks = [
    ...outcomeChecks(events, audit),
    check(
      "received and returned less sent is each wallet's turnover",
      wallets.filter(({ fits }) => !fits).map(({ participant }) => participant),
      `${wallets.length} wallets`,
    ),
    ...windowChecks(events, explained),
    check(
      "each of the bank's faults led to what it must",
      bankFaults.filter(({ ok }) => !ok).map(({ fault, led }) => `${fault}: ${led}`),
      `${bankFaults.length} faults`,
    ),
    check(
      "the bank's accounts moved by what was settled and by cover",
      sameSums(moved, both(explained)) ? [] : ["they did not"],
      `${moved.size} accounts`,
    ),
    ...breakChecks(events),
    balanceCheck(accounts, await booksAt(system, audit.entries)),
    check(
      "the log stands: signatures, hashes, postings",
      audit.findings,
      `${audit.entries} entries`,
    ),
    check("sealane audit --balances agrees", audited["ok"] === true ? [] : ["no"], "ok"),
  ];
  const { compared } = events;
  return {
    ok: checks.every(({ ok }) => ok),
    checks,
    entries: audit.entries,
    transfers: {
      asked: events.answers.length,
      repeated: events.replayed,
      by: countBy(events.answers, ({ outcome }) => outcome),
    },
    wallets,
    givenBack: countBy(events.givenBack, ({ why, outcome }) => `${why}: ${outcome}`),
    windows: windowsOf(events, explained),
    bankFaults,
    bank: moves.map(({ owner, currency, moved: by }) => {
      const of = (sums: Sums): string => amountOf(sums.get(`${owner} ${currency}`) ?? 0n, currency);
      const { settled, cover } = explained;
      const paid = amountOf(by, currency);
      return { owner, currency, paid, settled: of(settled), cover: of(cover) };
    }),
    cover: events.cover,
    breaks: {
      lines: events.books,
      formats: Object.fromEntries(
        Object.keys(events.books).map((who) => [who, formatOfBooks(who)]),
      ),
      seededFaults: events.seeded,
      seeded: compared.seeded,
      found: compared.found,
      missed: compared.missed,
      falseAlarms: compared.falseAlarms,
      ofBank: events.bankBreaks.map(({ kind, detail }) => `${kind}: ${detail}`),
      resolved: events.resolved,
    },
    accounts,
    audit: audited,
  };
};
