// A prepared statement's name stands for one text on a connection, and connections are shared: two texts
// under one name fail, but only when the same connection meets both.
import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const named = /\bname: "([a-z0-9-]+)",\s*text\b/g;

/** Names of prepared statements in a service, each as often as it is written. */
const namesIn = (service: string): string[] =>
  globSync(`${service}/src/**/*.ts`, { cwd: root })
    .filter((file) => !file.endsWith(".test.ts"))
    .flatMap((file) => [...readFileSync(`${root}${file}`, "utf8").matchAll(named)])
    .map(([, name]) => String(name));

it.each(globSync("services/*", { cwd: root }).toSorted())(
  "%s names each statement once",
  (room) => {
    const names = namesIn(room);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  },
);

it("finds them where they are", () => {
  expect(namesIn("services/reconciliation").length).toBeGreaterThan(5);
});
