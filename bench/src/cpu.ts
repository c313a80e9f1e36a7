// CPU time of processes, from /proc: what the operating system says, children included. Ticks are
// hundredths of a second on Linux; elsewhere there is no /proc and nothing is reported.
import { readdirSync, readFileSync } from "node:fs";

const msPerTick = 10;

type Stat = { readonly pid: number; readonly parent: number; readonly ms: number };

const readStat = (pid: string): Stat | undefined => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const [parent, user, system, userDead, systemDead] = [1, 11, 12, 13, 14].map((at) =>
      Number(fields[at]),
    ) as [number, number, number, number, number];
    return { pid: Number(pid), parent, ms: (user + system + userDead + systemDead) * msPerTick };
  } catch {
    return undefined; // it ended while we looked
  }
};

/** CPU ms of each named process with all its descendants. */
export const cpuOf = (pids: Readonly<Record<string, number>>): Record<string, number> => {
  const stats: Stat[] = [];
  for (const name of readdirSync("/proc")) {
    const stat = /^\d+$/.test(name) ? readStat(name) : undefined;
    if (stat !== undefined) stats.push(stat);
  }
  const sum = (pid: number): number => {
    const own = stats.find((stat) => stat.pid === pid)?.ms ?? 0;
    const children = stats.filter(({ parent }) => parent === pid);
    return children.reduce((total, child) => total + sum(child.pid), own);
  };
  return Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, sum(pid)]));
};

/** What was used between two readings, by name. */
export const cpuBetween = (
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
): Record<string, number> =>
  Object.fromEntries(Object.entries(after).map(([name, ms]) => [name, ms - (before[name] ?? 0)]));
