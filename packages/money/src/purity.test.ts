import { readFileSync, readdirSync } from "node:fs";
import { expect, test } from "vitest";

const folder = new URL(".", import.meta.url);
const sources = readdirSync(folder).filter(
  (name) => name.endsWith(".ts") && !name.includes(".test."),
);
const textOf = (name: string): string => readFileSync(new URL(name, folder), "utf8");

test("imports nothing but itself and, in one file, decimal.js", () => {
  const foreign = sources.flatMap((name) =>
    [...textOf(name).matchAll(/ from ["']([^"'.][^"']*)["']/g)].map(
      (match) => `${name}: ${match[1]}`,
    ),
  );
  expect(foreign).toEqual(["derive-rate.ts: decimal.js"]);
});

test("is pure and never makes a number of an amount", () => {
  const impure = /\bDate\b|Math\.random|\basync\b|\bawait\b|parseFloat|\.toNumber\(|\bMath\./;
  expect(sources.filter((name) => impure.test(textOf(name)))).toEqual([]);
});
