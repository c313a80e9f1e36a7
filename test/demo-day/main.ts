// `npm run demo:day`: a whole day of three wallets, two liquidity providers and a bank that makes mistakes, in
// a minute or two, and a report in which everything is explained. The system stays up to be looked at; with
// `--once` it ends. Each day begins with an empty ledger, in a folder of its own.
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { portsFromEnv } from "@sealane/infra";
import { runDay } from "./day.ts";
import { startDay, type DaySystem } from "./day-system.ts";
import { reportText } from "./report-text.ts";
import type { DayReport } from "./report.ts";

const usage = `npm run demo:day [-- --once] [-- --json] [-- --transfers N] [-- --seed N]
  --once         ends after the report; without it the system stays up
  --json         prints the report as one JSON object; progress goes to standard error
  --transfers N  how many transfers are asked for: 3000
  --seed N       another day: 1
`;

const out = (text: string): void => void process.stdout.write(text);
const note = (text: string): void => void process.stderr.write(text);

const readFlags = () => {
  const flag = { type: "boolean", default: false } as const;
  const number = (value: string) => ({ type: "string", default: value }) as const;
  try {
    const options = { once: flag, json: flag, help: flag };
    const { values } = parseArgs({
      options: { ...options, transfers: number("3000"), seed: number("1") },
    });
    const [transfers, seed] = [values.transfers, values.seed].map((text) => {
      if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
      throw new Error(`${text} is no whole number from 1 to 999999`);
    });
    return { ...values, transfers: transfers ?? 0, seed: seed ?? 0 };
  } catch (error) {
    note(`sealane: ${error instanceof Error ? error.message : ""}\n${usage}`);
    return process.exit(2);
  }
};

const flags = readFlags();
if (flags.help) {
  out(usage);
  process.exit(0);
}

/** A folder that only days use: what a day before has left there is removed. */
const emptyFolder = (): string => {
  const dir = process.env["SEALANE_DAY_HOME"] ?? join(process.cwd(), ".sealane", "day");
  const mark = join(dir, "day.json");
  if (existsSync(mark)) rmSync(dir, { recursive: true });
  else if (existsSync(dir)) throw new Error(`${dir} is there, and no day has made it`);
  // Passable, so that Postgres's own user reaches its data.
  mkdirSync(dir, { recursive: true, mode: 0o711 });
  writeFileSync(mark, `${JSON.stringify({ transfers: flags.transfers, seed: flags.seed })}\n`);
  return dir;
};

const begin = Date.now();
const tell = flags.json ? note : out;

/** Steps as lines; counts rewrite the line they are on where there is a terminal. */
const progress = () => {
  let told = 0;
  return {
    say: (what: string): void => {
      const seconds = ((Date.now() - begin) / 1_000).toFixed(1).padStart(6);
      tell(`${seconds} s  ${what}\n`);
    },
    onAnswer: (answered: number): void => {
      if (answered - told < Math.max(100, Math.floor(flags.transfers / 10))) return;
      told = answered;
      tell(`          ${answered} of ${flags.transfers} answered\n`);
    },
  };
};

const lookAround = ({ stack, bank }: DaySystem): string => {
  const urls = Object.entries(stack.urls).map(([name, url]) => `  ${name.padEnd(15)} ${url}\n`);
  const home = `SEALANE_HOME=${stack.home.dir}`;
  return [
    "\nEverything is up:\n",
    ...urls,
    `  ${"bank".padEnd(15)} ${bank.url}\n`,
    `\n  ${home} npx sealane window show hkd-php/1\n`,
    `  ${home} npx sealane break list\n`,
    "\nCtrl-C stops everything.\n",
  ].join("");
};

const untilEnd = (system: DaySystem): Promise<string | undefined> =>
  new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.once(signal, () => resolve(undefined));
    }
    void system.stack.failed.then(resolve);
  });

const finish = async (system: DaySystem, report: DayReport): Promise<number> => {
  out(flags.json ? `${JSON.stringify(report)}\n` : reportText(report));
  if (flags.once) return report.ok ? 0 : 1;
  tell(lookAround(system));
  const failed = await untilEnd(system);
  if (failed !== undefined) note(`sealane: ${failed}\n`);
  return failed === undefined && report.ok ? 0 : 1;
};

const run = async (): Promise<number> => {
  const { say, onAnswer } = progress();
  const interrupted = new Promise<never>((_, reject) => {
    const stop = (): void => reject(new Error("stopped before the day was over"));
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, stop);
  });
  interrupted.catch(() => undefined);
  const ports = portsFromEnv(process.env);
  const starting = startDay({ dir: emptyFolder(), ports, console: !flags.once, onStep: say });
  let system: DaySystem;
  try {
    system = await Promise.race([starting, interrupted]);
  } catch (error) {
    await starting.then((late) => late.stop()).catch(() => undefined);
    throw error;
  }
  try {
    const { transfers, seed } = flags;
    const day = runDay(system, { transfers, seed, say, onAnswer });
    const ended = system.stack.failed.then((detail) => Promise.reject(new Error(detail)));
    const report = await Promise.race([day, interrupted, ended]);
    return await finish(system, report);
  } finally {
    say("stopping");
    await system.stop();
  }
};

try {
  process.exitCode = await run();
} catch (error) {
  note(`sealane: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
}
process.exit();
