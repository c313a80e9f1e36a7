import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

type Locked = {
  readonly version?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
};

const file = join(import.meta.dirname, "../../package-lock.json");
const { packages } = JSON.parse(readFileSync(file, "utf8")) as { packages: Record<string, Locked> };
const names = new Set(Object.keys(packages).map((path) => path.split("node_modules/").at(-1)));

// Tools with a binary per platform list all of them; a registry that lacks one for the newest version
// leaves it out of the lock file, and then `npm ci` refuses the file. An older version has them all.
it("locks every platform's package of every tool, so that npm ci takes it", () => {
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter((name) => !names.has(name))
      .map((name) => `${path} wants ${name}`),
  );
  expect(missing).toEqual([]);
});

it("names no registry", () => {
  const resolved = Object.values(packages).filter(({ link }) => link !== true);
  expect(resolved.filter(({ resolved: url }) => url !== undefined)).toEqual([]);
});

it("pins every version that we name ourselves", () => {
  const own = Object.entries(packages).filter(([path]) => !path.includes("node_modules/"));
  const loose = own.flatMap(([path, locked]) => {
    const { dependencies = {}, devDependencies = {} } = locked as Record<string, object>;
    const wanted = Object.entries({ ...dependencies, ...devDependencies });
    return wanted
      .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(String(version)))
      .map(([name, version]) => `${path || "the root"}: ${name}@${String(version)}`);
  });
  expect(loose).toEqual([]);
});
