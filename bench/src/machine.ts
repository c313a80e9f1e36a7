// What a figure means nothing without: machine, versions, settings, commit.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import type { Stack } from "@sealane/infra";

const commit = (): string => {
  try {
    const dirty = execFileSync("git", ["status", "--porcelain"], { encoding: "utf8" }) !== "";
    const head = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
    return dirty ? `${head}+changes` : head;
  } catch {
    return "unknown";
  }
};

const dependency = (name: string): string => {
  const lock = JSON.parse(
    readFileSync(new URL("../../package-lock.json", import.meta.url), "utf8"),
  ) as { packages: Record<string, { version?: string }> };
  return lock.packages[`node_modules/${name}`]?.version ?? "unknown";
};

/** For what runs in this process alone. */
export const describeHost = () => ({
  cores: cpus().length,
  cpu: cpus()[0]?.model.trim() ?? "unknown",
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  node: process.version,
  commit: commit(),
});

export const describeMachine = (stack: Stack) => ({
  ...describeHost(),
  kafka: "4.3.1, one broker, flush.messages=1 on the lane, acks=all",
  postgres: "18.4, fsync on, synchronous_commit on",
  kafkajs: dependency("kafkajs"),
  witnesses: "4, quorum 3, each with its own fsynced file",
  tracesRecorded: "1 in 1000",
  processes: Object.keys(stack.pids()),
});
