// What our containers are told: where the world's folder is, and how to reach Kafka and Postgres. All
// that is missing is named at once, and no value appears in a message.
import { InfraError } from "./infra-error.ts";

export type ContainerSettings = {
  /** The world's folder: keys, policy, state. */
  readonly home: string;
  /** `host:port`, separated by commas. */
  readonly brokers: string;
  /** `postgres://user@host:port/database`, without a password. */
  readonly databaseUrl: string;
  /** Brokers that keep each topic. */
  readonly replication: number;
  readonly traceRatio: number;
};

/** @throws InfraError `settings-missing`, naming every variable that is missing or no number */
export const readContainerSettings = (env: NodeJS.ProcessEnv): ContainerSettings => {
  const faults: string[] = [];
  const text = (name: string): string => {
    const value = env[name]?.trim() ?? "";
    if (value === "") faults.push(`${name} is not set`);
    return value;
  };
  const number = (name: string, fallback: number, fits: (value: number) => boolean): number => {
    const value = env[name]?.trim() ?? "";
    if (value === "") return fallback;
    if (!fits(Number(value))) faults.push(`${name} is not a number that fits`);
    return Number(value);
  };
  const settings: ContainerSettings = {
    home: text("SEALANE_HOME"),
    brokers: text("KAFKA_BROKERS"),
    databaseUrl: text("DATABASE_URL"),
    replication: number("SEALANE_KAFKA_REPLICATION", 1, (n) => Number.isInteger(n) && n >= 1),
    traceRatio: number("SEALANE_TRACE_RATIO", 1, (ratio) => ratio >= 0 && ratio <= 1),
  };
  if (faults.length > 0) throw new InfraError("settings-missing", faults.join("; "));
  return settings;
};
