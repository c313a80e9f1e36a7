// The day's report for people: one block for each question, amounts in columns.
import type { DayReport } from "./report.ts";

/** Columns; those named are set to the right. */
const table = (rows: readonly (readonly string[])[], right: readonly number[] = []): string[] => {
  const widths = (rows[0] ?? []).map((_, at) =>
    Math.max(...rows.map((row) => row[at]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, at) => {
        const width = widths[at] ?? 0;
        return right.includes(at) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd(),
  );
};

const block = (title: string, lines: readonly string[]): string[] => [
  "",
  title,
  ...lines.map((line) => `  ${line}`),
];

const counts = (by: Readonly<Record<string, number>>): string[] =>
  table(
    Object.entries(by).map(([name, count]) => [String(count), name]),
    [0],
  );

const list = (by: Readonly<Record<string, string>>): string =>
  Object.entries(by)
    .map(([key, amount]) => `${amount} ${key}`)
    .join(", ");

const breakLines = ({ breaks }: DayReport): string[] => {
  const kinds = [...new Set([...Object.keys(breaks.seeded), ...Object.keys(breaks.found)])];
  const rows = kinds
    .toSorted()
    .map((kind) => [kind, String(breaks.seeded[kind] ?? 0), String(breaks.found[kind] ?? 0)]);
  const lines = Object.entries(breaks.lines).map(
    ([who, count]) => `${count} of ${who} (${breaks.formats[who] ?? "?"})`,
  );
  return [
    `lines handed in: ${lines.join(", ")}`,
    ...table([["kind", "put in", "found"], ...rows], [1, 2]),
    `missed: ${breaks.missed.length}, false alarms: ${breaks.falseAlarms.length}`,
    ...breaks.ofBank.map((detail) => `of the bank: ${detail}`),
    `resolved with money: ${breaks.resolved}`,
  ];
};

/** The whole report as lines of text. */
export const reportText = (report: DayReport): string => {
  const { transfers, wallets, givenBack, windows, bankFaults, cover, bank, accounts, checks } =
    report;
  const walletRows = wallets.map((one) => [
    one.participant,
    one.currency,
    one.sent,
    one.fees,
    one.received,
    one.returnedBy,
    one.returnedTo,
    one.turnover,
  ]);
  const head = ["", "", "sent", "of it fees", "received", "gave back", "got back", "turnover"];
  const lines = [
    ...block(
      `Transfers: ${transfers.asked} asked for, ${transfers.repeated} of them twice and done once`,
      counts(transfers.by),
    ),
    ...block("What came back, or was asked back", counts(givenBack)),
    ...block("Wallets", table([head, ...walletRows], [2, 3, 4, 5, 6, 7])),
    ...block(
      "Windows: members, and each currency's sum over all nets",
      table(
        windows.map(({ name, status, members, sums }) => [
          name,
          status,
          String(members),
          list(sums),
        ]),
        [2],
      ),
    ),
    ...block(
      "The bank's faults, and what came of them",
      table(bankFaults.map(({ window, fault, led }) => [window, fault, led])),
    ),
    ...block("Cover, by the bank's signed statements", cover),
    ...block(
      "Paid at the bank",
      table(
        [
          ["", "", "in all", "settled", "of cover"],
          ...bank.map((one) => [one.owner, one.currency, one.paid, one.settled, one.cover]),
        ],
        [2, 3, 4],
      ),
    ),
    ...block("Differences in the providers' own books", breakLines(report)),
    ...block(
      "Accounts at the end, and the entries that they are made of",
      table(
        accounts.map(({ account, currency, balance, made }) => [
          account,
          currency,
          balance,
          list(made),
        ]),
        [2],
      ),
    ),
    ...block(
      `Checks over ${report.entries} entries`,
      checks.map(({ name, ok, detail }) => `${ok ? "ok " : "NO "} ${name}: ${detail}`),
    ),
  ];
  return `${lines.join("\n")}\n`;
};
