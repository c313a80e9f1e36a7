// `node infra/src/setup.ts`: everything that must be there before the services start, then the end. Keys
// and policies, topics, tables, and the first liquidity as advances signed by two operators. Run again,
// it changes nothing that is as it should be: keys stay, advances have ids of their own.
import { readFileSync } from "node:fs";
import { readContainerSettings } from "./container-settings.ts";
import { openKafka } from "./open-kafka.ts";
import { sendFirstLiquidity } from "./liquidity.ts";
import { migrateAll, topicSpecs } from "./prepare.ts";
import { provision } from "./provision.ts";
import { retryUntil } from "./retry-until.ts";
import { portsFromEnv } from "./world.ts";

/** A cluster of three elects its controller and registers in about 10 s. */
const deadlineMs = 120_000;

const say = (step: string): void => {
  process.stdout.write(`${JSON.stringify({ event: "setup", step })}\n`);
};

/** The administrator's URL: the password comes from a file, never from the environment. */
const adminUrl = (url: string, passwordFile: string | undefined): string => {
  if (passwordFile === undefined || passwordFile === "") return url;
  const target = new URL(url);
  target.password = encodeURIComponent(readFileSync(passwordFile, "utf8").trim());
  return target.href;
};

const { home: dir, brokers, databaseUrl, replication } = readContainerSettings(process.env);
say("keys and policies");
const home = await provision(dir, portsFromEnv(process.env));
const admin = openKafka(brokers, "sealane-setup").admin();
const url = adminUrl(databaseUrl, process.env.SEALANE_DATABASE_ADMIN_PASSWORD_FILE);
say("topics and tables");
await Promise.all([
  retryUntil(deadlineMs, () => admin.ensureTopics(topicSpecs(replication))),
  retryUntil(deadlineMs, () => migrateAll(home, url)),
]);
say("first liquidity");
await retryUntil(deadlineMs, () => sendFirstLiquidity(home, brokers));
say("done");
