import { describe, expect, test } from "vitest";
import { ConfigError } from "./config.ts";
import { readKafkaSettings } from "./kafka-settings.ts";

const login = { SEALANE_KAFKA_USER: "hk-wallet.example", SEALANE_KAFKA_PASSWORD_FILE: "/run/pw" };
const tls = { SEALANE_KAFKA_CA_FILE: "/run/ca.pem" };
const elsewhere = { KAFKA_BROKERS: "kafka-1.example:9092,127.0.0.1:9092" };

/** The variables that are named as wrong. */
const faults = (env: Record<string, string>): string[] => {
  try {
    readKafkaSettings(env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.faults.map(({ variable }) => variable);
  }
};

describe("how a service reaches Kafka", () => {
  test("on its own machine it needs brokers alone", () => {
    for (const broker of ["127.0.0.1:19092", "localhost:9092", "[::1]:9092"]) {
      expect(readKafkaSettings({ KAFKA_BROKERS: broker })).toEqual({ brokers: [broker] });
    }
  });

  test("elsewhere it needs TLS and a login, unless somebody says that it does not", () => {
    expect(faults(elsewhere)).toEqual(["SEALANE_KAFKA_CA_FILE", "SEALANE_KAFKA_USER"]);
    expect(faults({ ...elsewhere, ...tls })).toEqual(["SEALANE_KAFKA_USER"]);
    expect(faults({ ...elsewhere, ...login })).toEqual(["SEALANE_KAFKA_CA_FILE"]);
    expect(faults({ ...elsewhere, SEALANE_KAFKA_PLAINTEXT: "yes" })).toEqual([]);
    // A name that only looks like this machine is another one.
    expect(faults({ KAFKA_BROKERS: "127.0.0.1.example:9092" })).toHaveLength(2);
    expect(readKafkaSettings({ ...elsewhere, ...tls, ...login })).toEqual({
      brokers: ["kafka-1.example:9092", "127.0.0.1:9092"],
      tls: { caFile: "/run/ca.pem" },
      sasl: {
        mechanism: "scram-sha-512",
        username: "hk-wallet.example",
        passwordFile: "/run/pw",
      },
    });
  });

  test("half a login, or half a certificate, is a fault", () => {
    const here = { KAFKA_BROKERS: "127.0.0.1:9092" };
    expect(faults({ ...here, SEALANE_KAFKA_USER: "a" })).toEqual(["SEALANE_KAFKA_PASSWORD_FILE"]);
    expect(faults({ ...here, SEALANE_KAFKA_PASSWORD_FILE: "/p" })).toEqual(["SEALANE_KAFKA_USER"]);
    expect(faults({ ...here, SEALANE_KAFKA_CERT_FILE: "/c" })).toEqual(["SEALANE_KAFKA_CERT_FILE"]);
    expect(faults({ ...here, SEALANE_KAFKA_MECHANISM: "none" })).toEqual([
      "SEALANE_KAFKA_MECHANISM",
    ]);
    expect(faults({})).toEqual(["KAFKA_BROKERS"]);
  });
});
