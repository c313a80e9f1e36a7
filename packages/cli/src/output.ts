// How commands print: aligned columns for people, one JSON object a line for programs, progress on
// standard error and only where somebody looks.
import cliProgress from "cli-progress";
import { TlogError } from "@sealane/tlog";
import { explain } from "./cli-error.ts";
import { BundleError } from "./log-source.ts";

export const out = (text: string): void => void process.stdout.write(`${text}\n`);

/** One JSON object on one line. */
export const outJson = (value: unknown): void => out(JSON.stringify(value));

/** Rows with aligned columns, indented by two. @param right numbers of the right-aligned columns */
export const columns = (
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string => {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  }
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => {
        const width = widths[at] ?? 0;
        return right.includes(at) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd();
  return rows.map((row) => `  ${line(row)}`).join("\n");
};

export type Progress = {
  readonly to: (done: number, total: number) => void;
  readonly end: () => void;
};

/** A bar on standard error; nothing where that is no terminal. @param unit what is counted */
export const startProgress = (label: string, unit: string): Progress => {
  if (!process.stderr.isTTY) return { to: () => undefined, end: () => undefined };
  const format = `${label} {bar} {percentage} %  {value} of {total} ${unit}, {eta_formatted} left`;
  const preset = cliProgress.Presets.shades_classic;
  const options = { format, hideCursor: true, clearOnComplete: true, etaBuffer: 100 };
  const bar = new cliProgress.SingleBar({ ...options, stream: process.stderr }, preset);
  let started = false;
  return {
    to: (done, total) => {
      if (!started) bar.start(total, done);
      else {
        bar.setTotal(total);
        bar.update(done);
      }
      started = true;
    },
    end: () => {
      if (started) bar.stop();
    },
  };
};

type Fault = { readonly code: string; readonly message: string; readonly action: string };

/** What to tell about an error that is not a bug; undefined for a bug. */
const faultOf = (error: unknown): Fault | undefined => {
  if (!(error instanceof Error)) return undefined;
  const { message } = error;
  const { code, syscall } = error as Error & { code?: unknown; syscall?: unknown };
  const told = explain(error);
  if (told !== undefined) {
    return { code: String(code), message: told.message, action: told.action };
  }
  if (error instanceof TlogError || error instanceof BundleError) {
    return { code: error.code, message, action: "What was read is not what a log has there." };
  }
  if (syscall === undefined) return undefined;
  return { code: String(code), message, action: "The operating system refused this." };
};

/**
 * Runs a command. What is no bug is told (with `json` as the last line of standard output) and sets
 * exit code 1; bugs are thrown on.
 */
export const running = async (json: boolean, run: () => Promise<boolean>): Promise<void> => {
  try {
    if (!(await run())) process.exitCode = 1;
  } catch (error) {
    const fault = faultOf(error);
    if (fault === undefined) throw error;
    process.exitCode = 1;
    process.stderr.write(`error: ${fault.message}\n       ${fault.action}\n`);
    if (json) outJson({ ok: false, code: fault.code, detail: fault.message });
  }
};
