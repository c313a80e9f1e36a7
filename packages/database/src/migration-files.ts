// A service's migrations as they lie in their folder: `NNNN_name.sql`, numbered 1, 2, 3 … without a gap.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseError } from "./database-error.ts";

export type Migration = {
  readonly number: number;
  /** The file's name. */
  readonly name: string;
  /** Of the file's bytes, before placeholders are filled in; lower-case hex. */
  readonly sha256: string;
  readonly sql: string;
};

/** Reads and orders them. Throws `bad-migration` for a name or numbering that is not as above. */
export function readMigrations(folder: string): Migration[] {
  const names = readdirSync(folder).filter((name) => name.endsWith(".sql"));
  const migrations = names.map((name) => readMigration(folder, name));
  migrations.sort((a, b) => a.number - b.number);
  migrations.forEach(({ number, name }, index) => {
    if (number === index + 1) return;
    throw new DatabaseError("bad-migration", `${name}: number ${index + 1} was expected`);
  });
  return migrations;
}

function readMigration(folder: string, name: string): Migration {
  const match = /^(\d{4})_[a-z0-9_-]+\.sql$/.exec(name);
  if (match === null) throw new DatabaseError("bad-migration", `${name} is not NNNN_name.sql`);
  const bytes = readFileSync(join(folder, name));
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { number: Number(match[1]), name, sha256, sql: bytes.toString("utf8") };
}
