import { expect, test } from "vitest";
import { readContainerSettings } from "./container-settings.ts";
import { homeAt } from "./home.ts";
import { planServices } from "./service-plan.ts";
import { portsFromEnv } from "./world.ts";

const given = {
  SEALANE_HOME: "/home/of/sealane",
  KAFKA_BROKERS: "kafka-1:9092,kafka-2:9092",
  DATABASE_URL: "postgres://postgres@postgres:5432/postgres",
};

test("what is not set is named, all of it at once", () => {
  const env = { DATABASE_URL: given.DATABASE_URL, SEALANE_TRACE_RATIO: "often" };
  expect(() => readContainerSettings(env)).toThrow(
    "SEALANE_HOME is not set; KAFKA_BROKERS is not set; SEALANE_TRACE_RATIO is not a number that fits",
  );
});

test("one broker and every trace are the defaults", () => {
  expect(readContainerSettings(given)).toMatchObject({ replication: 1, traceRatio: 1 });
  const three = { ...given, SEALANE_KAFKA_REPLICATION: "3", SEALANE_TRACE_RATIO: "0.1" };
  expect(readContainerSettings(three)).toMatchObject({ replication: 3, traceRatio: 0.1 });
});

test("no service is told the administrator's password", () => {
  const services = planServices({
    ...readContainerSettings(given),
    databaseUrl: "postgres://postgres:secret@postgres:5432/postgres",
    home: homeAt(given.SEALANE_HOME),
    ports: portsFromEnv({}),
    openBundles: false,
  });
  expect(JSON.stringify(services)).not.toContain("secret");
  const ledger = services.find(({ name }) => name === "ledger");
  expect(ledger?.env.DATABASE_URL).toBe("postgres://postgres:5432/postgres");
});
