// Quotas per login, by Kafka's own tool: kafkajs does not speak that part of the protocol. Setting one
// again changes nothing.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { InfraError } from "./infra-error.ts";
import type { Quota } from "./kafka-access.ts";
import { kafkaJars } from "./kafka.ts";

const deadlineMs = 60_000;

export type QuotaTool = {
  /** One `host:port` is enough. */
  readonly brokers: string;
  /** A Kafka client's properties with the administrator's login, for the tool. */
  readonly commandConfig: string;
};

const run = async ({ brokers, commandConfig }: QuotaTool, args: string[]): Promise<string> => {
  const tool = ["-cp", `${kafkaJars}*`, "-XX:TieredStopAtLevel=1", "-Xshare:auto"];
  const main = ["kafka.admin.ConfigCommand", "--bootstrap-server", brokers];
  const config = ["--command-config", commandConfig, "--entity-type", "users"];
  try {
    const options = { timeout: deadlineMs };
    return (await promisify(execFile)("java", [...tool, ...main, ...config, ...args], options))
      .stdout;
  } catch (error) {
    throw new InfraError("start-failed", "kafka: its quotas could not be reached", error);
  }
};

export const setQuota = async (
  tool: QuotaTool,
  { principal, producerBytesPerSecond }: Quota,
): Promise<void> => {
  const setting = `producer_byte_rate=${producerBytesPerSecond}`;
  await run(tool, ["--entity-name", principal, "--alter", "--add-config", setting]);
};

/** Bytes a second by login, of those that have a quota. */
export const readQuotas = async (tool: QuotaTool): Promise<Map<string, number>> => {
  const found = new Map<string, number>();
  for (const line of (await run(tool, ["--describe"])).split("\n")) {
    const match = /user-principal '([^']+)'.*producer_byte_rate=([\d.E+]+)/.exec(line);
    if (match !== null) found.set(String(match[1]), Number(match[2]));
  }
  return found;
};
