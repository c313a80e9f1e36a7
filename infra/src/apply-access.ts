// `KAFKA_BROKERS=… SEALANE_KAFKA_USER=… node infra/src/apply-access.ts [CLIENT_PROPERTIES]`: adds the access
// rules of the world to a cluster that has an authorizer, as its administrator, and shows rules that it
// does not know. With a client's properties file for Kafka's own tool, the quotas too. Changes nothing
// that is as it should be.
import { createMessaging } from "@sealane/messaging";
import { readKafkaSettings } from "@sealane/runtime";
import { accessRules, quotas } from "./kafka-access.ts";
import { setQuota } from "./kafka-quotas.ts";

const say = (event: object): void => void process.stdout.write(`${JSON.stringify(event)}\n`);

const settings = readKafkaSettings(process.env);
const admin = createMessaging({ ...settings, clientId: "sealane-access" }).admin();
const rules = accessRules();
const others = await admin.ensureAccess(rules);
say({ event: "access", rules: rules.length, others });
const [, , commandConfig] = process.argv;
if (commandConfig !== undefined) {
  const tool = { brokers: settings.brokers.join(","), commandConfig };
  for (const quota of quotas()) {
    await setQuota(tool, quota);
    say({ event: "quota", ...quota });
  }
}
