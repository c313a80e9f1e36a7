// The bank's folder: `in` is looked at, `out` is written, the journal is appended. A file in `out` is
// whole when it has its name; a file in `in` is moved away before it is answered twice.
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { BankEvent } from "./bank-book.ts";

export type BankFolder = ReturnType<typeof openBankFolder>;

export const openBankFolder = (directory: string) => {
  const at = (...path: string[]): string => join(directory, ...path);
  for (const path of ["in/taken", "in/refused", "out"]) mkdirSync(at(path), { recursive: true });
  const journal = at("journal.jsonl");
  return {
    /** What the journal says; a torn last line, of a killed process, is cut off. */
    events: (): BankEvent[] => {
      if (!existsSync(journal)) return [];
      const bytes = readFileSync(journal);
      const whole = bytes.lastIndexOf(0x0a) + 1;
      if (whole < bytes.length) truncateSync(journal, whole);
      const lines = bytes.toString("utf8", 0, whole).split("\n").slice(0, -1);
      return lines.map((line) => JSON.parse(line) as BankEvent);
    },
    remember: (event: BankEvent): void => appendFileSync(journal, `${JSON.stringify(event)}\n`),
    waiting: (): string[] =>
      readdirSync(at("in"), { withFileTypes: true })
        .filter((file) => file.isFile() && file.name.endsWith(".xml"))
        .map(({ name }) => name)
        .toSorted(),
    incoming: (name: string): Uint8Array => readFileSync(at("in", name)),
    done: (name: string, to: "taken" | "refused"): void =>
      renameSync(at("in", name), at("in", to, name)),
    write: (name: string, text: string): void => {
      writeFileSync(at("out", `${name}.part`), text);
      renameSync(at("out", `${name}.part`), at("out", name));
    },
    written: (): string[] => readdirSync(at("out")).filter((name) => !name.endsWith(".part")),
    read: (name: string): string => readFileSync(at("out", name), "utf8"),
    path: (name: string): string => at("out", name),
  };
};
