// How a service reaches Kafka: brokers, and outside of one machine a login and an authority to trust. The
// variables are the same for every service; what is read here fits `createMessaging` as it is.
import { z } from "zod";
import { ConfigError, loadConfig, type ConfigFault } from "./config.ts";
import { filePath, flag } from "./config-fields.ts";

/** To be spread into a service's schema. */
export const kafkaFields = {
  KAFKA_BROKERS: z.string().describe("host:port, separated by commas"),
  /** The principal: the service's or participant's name in the access rules (`infra`). */
  SEALANE_KAFKA_USER: z.string().optional(),
  SEALANE_KAFKA_PASSWORD_FILE: filePath.optional(),
  SEALANE_KAFKA_MECHANISM: z
    .enum(["scram-sha-512", "scram-sha-256", "plain"])
    .default("scram-sha-512"),
  /** Authorities to trust, PEM: turns TLS on. */
  SEALANE_KAFKA_CA_FILE: filePath.optional(),
  /** Our certificate and key, PEM, when the broker asks for one. */
  SEALANE_KAFKA_CERT_FILE: filePath.optional(),
  SEALANE_KAFKA_KEY_FILE: filePath.optional(),
  /** A broker on another machine without TLS and login: for demos on a network of their own. */
  SEALANE_KAFKA_PLAINTEXT: flag.default(false),
};

const schema = z.object(kafkaFields);
export type KafkaConfig = z.infer<typeof schema>;

export type KafkaSettings = {
  readonly brokers: readonly string[];
  readonly tls?: {
    readonly caFile: string;
    readonly certFile?: string;
    readonly keyFile?: string;
  };
  readonly sasl?: {
    readonly mechanism: KafkaConfig["SEALANE_KAFKA_MECHANISM"];
    readonly username: string;
    readonly passwordFile: string;
  };
};

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/;

const faultsOf = (config: KafkaConfig): ConfigFault[] => {
  const user = config.SEALANE_KAFKA_USER;
  const password = config.SEALANE_KAFKA_PASSWORD_FILE;
  const faults: ConfigFault[] = [];
  const say = (variable: string, text: string): void =>
    void faults.push({ variable, problem: text });
  if (user !== undefined && password === undefined) {
    say("SEALANE_KAFKA_PASSWORD_FILE", "set it to the path of the user's password");
  }
  if (user === undefined && password !== undefined)
    say("SEALANE_KAFKA_USER", "whose password is it?");
  if (
    (config.SEALANE_KAFKA_CERT_FILE === undefined) !==
    (config.SEALANE_KAFKA_KEY_FILE === undefined)
  ) {
    say("SEALANE_KAFKA_CERT_FILE", "a certificate and its key come together");
  }
  const remote = config.KAFKA_BROKERS.split(",").some((broker) => !loopback.test(broker.trim()));
  if (!remote || config.SEALANE_KAFKA_PLAINTEXT) return faults;
  if (config.SEALANE_KAFKA_CA_FILE === undefined) {
    say("SEALANE_KAFKA_CA_FILE", "brokers on other machines are spoken to by TLS");
  }
  if (user === undefined) say("SEALANE_KAFKA_USER", "brokers on other machines ask who we are");
  return faults;
};

/**
 * What a service's configuration says about Kafka.
 * @throws ConfigError: a login without its other half, or brokers elsewhere without TLS and login
 */
export const kafkaSettings = (config: KafkaConfig): KafkaSettings => {
  const faults = faultsOf(config);
  if (faults.length > 0) throw new ConfigError(faults);
  const {
    SEALANE_KAFKA_USER: username,
    SEALANE_KAFKA_PASSWORD_FILE: passwordFile,
    SEALANE_KAFKA_MECHANISM: mechanism,
    SEALANE_KAFKA_CA_FILE: caFile,
    SEALANE_KAFKA_CERT_FILE: certFile,
    SEALANE_KAFKA_KEY_FILE: keyFile,
  } = config;
  return {
    brokers: config.KAFKA_BROKERS.split(",").map((broker) => broker.trim()),
    ...(caFile === undefined
      ? {}
      : { tls: { caFile, ...(certFile && keyFile ? { certFile, keyFile } : {}) } }),
    ...(username === undefined || passwordFile === undefined
      ? {}
      : { sasl: { mechanism, username, passwordFile } }),
  };
};

/** The same from the environment alone, for tools. @param brokers in the place of KAFKA_BROKERS */
export const readKafkaSettings = (env: NodeJS.ProcessEnv, brokers?: string): KafkaSettings =>
  kafkaSettings(
    loadConfig(schema, brokers === undefined ? env : { ...env, KAFKA_BROKERS: brokers }),
  );
