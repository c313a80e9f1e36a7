// The table in the README, made from the results that are kept: nothing in it is written by hand.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readResult } from "./results.ts";
import type { FaultCase } from "./stage.ts";

const readme = join(import.meta.dirname, "README.md");
const begin = "<!-- table: npm run faults -- --table -->";
const end = "<!-- end of table -->";

const cell = (text: string): string => text.replaceAll("|", "/").replaceAll("\n", " ");

const rowOf = ({ name, what }: FaultCase): string => {
  const result = readResult(name);
  if (result === undefined) return `| ${name} | ${cell(what)} | not run | |`;
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
  const commits = [...new Set(results.map(({ commit }) => commit))].join(", ");
  const days = [...new Set(results.map(({ at }) => at.slice(0, 10)))].join(", ");
  const lines = [
    begin,
    "",
    `Of ${days}, at ${commits}. The numbers behind the outcome: oracles that hold, of those that were asked.`,
    "",
    "| case | what is done | outcome | what it showed |",
    "| --- | --- | --- | --- |",
    ...cases.map(rowOf),
    "",
  ];
  writeFileSync(readme, `${text.slice(0, from)}${lines.join("\n")}\n${text.slice(to)}`);
};
