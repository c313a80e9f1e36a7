// The table in the README, made from the results that are kept: nothing in it is written by hand. A case that
// was not run here keeps the row of whoever ran it last.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readResult } from "./results.ts";
import type { FaultCase } from "./stage.ts";

const readme = join(import.meta.dirname, "README.md");
const begin = "<!-- table: npm run faults -- --table -->";
const end = "<!-- end of table -->";

const cell = (text: string): string => text.replaceAll("|", "/").replaceAll("\n", " ");

/** The rows that are there, by case. */
const rowsOf = (table: string): ReadonlyMap<string, string> =>
  new Map(
    table.split("\n").flatMap((row) => {
      const name = /^\| ([a-z0-9-]+) \|/.exec(row)?.[1];
      return name === undefined ? [] : [[name, row] as const];
    }),
  );

/** What the table says of when and at what its rows were made. */
const madeOf = (table: string): { days: string[]; commits: string[] } => {
  const [, days = "", commits = ""] = /^Of ([\d, -]+), at ([^.]*)\./m.exec(table) ?? [];
  const list = (text: string): string[] => (text === "" ? [] : text.split(", "));
  return { days: list(days), commits: list(commits) };
};

const rowOf = ({ name, what }: FaultCase, before: ReadonlyMap<string, string>): string => {
  const result = readResult(name);
  if (result === undefined) return before.get(name) ?? `| ${name} | ${cell(what)} | not run | |`;
  const held = result.verdicts.filter(({ verdict }) => verdict === "holds").length;
  const asked = result.verdicts.filter(({ verdict }) => verdict !== "not asked").length;
  const oracles = result.verdicts.length === 0 ? "" : `, ${held}/${asked}`;
  const said = [result.showed, ...result.faults].filter((text) => text !== "").join("; ");
  return `| ${name} | ${cell(what)} | ${result.outcome}${oracles} | ${cell(said)} |`;
};

export const writeTable = (cases: readonly FaultCase[]): void => {
  const text = readFileSync(readme, "utf8");
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error("the README has no place for the table");
  const results = cases.flatMap(({ name }) => readResult(name) ?? []);
  const table = text.slice(from, to);
  const rows = rowsOf(table);
  const made = madeOf(table);
  const commits = [...new Set([...made.commits, ...results.map(({ commit }) => commit)])].join(
    ", ",
  );
  const days = [...new Set([...made.days, ...results.map(({ at }) => at.slice(0, 10))])].join(", ");
  const lines = [
    begin,
    "",
    `Of ${days}, at ${commits}. The numbers behind the outcome: oracles that hold, of those that were asked.`,
    "",
    "| case | what is done | outcome | what it showed |",
    "| --- | --- | --- | --- |",
    ...cases.map((one) => rowOf(one, rows)),
    "",
  ];
  writeFileSync(readme, `${text.slice(0, from)}${lines.join("\n")}\n${text.slice(to)}`);
};
