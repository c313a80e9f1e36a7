// The program behind `npx sealane recover`: runs with the ledger's own settings while the ledger is
// stopped. Arguments are places; standard output is one JSON object a line, the last one the result.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { openServiceDatabase } from "@sealane/database";
import { LogReadError } from "@sealane/client";
import { createMessaging } from "@sealane/messaging";
import { laneTopic } from "@sealane/protocol";
import { kafkaSettings, loadConfig } from "@sealane/runtime";
import { readKeyFile, selfTest } from "@sealane/signer";
import { parsePolicy, TlogError } from "@sealane/tlog";
import { lanesOf, ledgerConfigSchema, type LaneSettings } from "../config.ts";
import { readEntriesTopic } from "./entries-topic.ts";
import { openPlace, type PublishedPlace } from "./places.ts";
import { RecoverFault } from "./recover-fault.ts";
import { recover } from "./recover.ts";

const tell = (event: string, fields: object): void => {
  process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`);
};

/** Which lane: one is rebuilt at a time, and of several it has to be said. */
const laneNamed = (lanes: readonly LaneSettings[], named: string | undefined): LaneSettings => {
  const found = lanes.filter(({ lane }) => named === undefined || String(lane) === named);
  const [one, ...more] = found;
  if (one !== undefined && more.length === 0) return one;
  const known = lanes.map(({ lane }) => lane).join(", ");
  const message = `the ledger has the lanes ${known}: say which one is rebuilt, with --lane N`;
  throw new RecoverFault("lane-unnamed", message);
};

const run = async (): Promise<void> => {
  const { values } = parseArgs({
    options: {
      from: { type: "string", multiple: true },
      token: { type: "string" },
      lane: { type: "string" },
    },
  });
  const config = loadConfig(ledgerConfigSchema);
  const { lane, checkpointKeyFile } = laneNamed(lanesOf(config), values.lane);
  await selfTest();
  const policy = parsePolicy(readFileSync(config.SEALANE_POLICY_FILE, "utf8"));
  const token = values.token === undefined ? undefined : readFileSync(values.token, "utf8").trim();
  const places: PublishedPlace[] = [];
  for (const from of values.from ?? []) {
    const place = await openPlace(from, policy, token);
    tell("audited", { place: from, entries: place.log?.size ?? place.held.size });
    places.push(place);
  }
  const messaging = createMessaging({ ...kafkaSettings(config), clientId: "ledger-recover" });
  const input = await messaging.admin().topicOffsets(laneTopic(lane));
  const { database, sql } = openServiceDatabase({
    url: config.DATABASE_URL,
    user: config.SEALANE_DATABASE_USER,
    passwordFile: config.SEALANE_DATABASE_PASSWORD_FILE,
    schema: config.SEALANE_DATABASE_SCHEMA,
    applicationName: "sealane-recover",
    poolSize: 2,
    onConnectionLost: () => undefined,
  });
  try {
    const recovered = await recover({
      database,
      sql,
      lane,
      policy,
      checkpointKey: readKeyFile(checkpointKeyFile),
      places,
      readTopic: (from) => readEntriesTopic(messaging, lane, from),
      input,
      clock: Date.now,
      onStep: tell,
    });
    tell("recovered", { ok: true, ...recovered });
  } finally {
    await database.close();
  }
};

try {
  await run();
} catch (error) {
  const known =
    error instanceof RecoverFault || error instanceof TlogError || error instanceof LogReadError;
  if (!known) throw error;
  const position = error instanceof RecoverFault ? error.position : undefined;
  tell("refused", { ok: false, code: error.code, detail: error.message, position });
  process.exitCode = 1;
}
