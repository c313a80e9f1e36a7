// Postgres keeps a prepared statement by its name for as long as a connection lives, and the driver refuses the
// same name for another text. Connections are pooled, so two places of one service that share a name fail
// only when they happen to share a connection: names are used once in a service.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const services = join(import.meta.dirname, "..", "..", "services");

const namesIn = (service: string): string[] => {
  const src = join(services, service, "src");
  return readdirSync(src, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .flatMap((file) => {
      const text = readFileSync(join(src, file), "utf8");
      return [...text.matchAll(/\bname: "([a-z0-9-]+)",\s+text:/g)].map((found) => found[1] ?? "");
    });
};

it.each(readdirSync(services))("%s gives each prepared statement a name of its own", (service) => {
  const names = namesIn(service);
  expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
});

it("finds the names at all", () => {
  expect(namesIn("reconciliation")).toContain("reconcile-cursor-lock");
});
