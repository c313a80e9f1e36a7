// How to reach Kafka. Secrets come as paths of files and are read once.
import { readFileSync } from "node:fs";

export type TlsFiles = {
  /** Authorities to trust, PEM. */
  readonly caFile: string;
  /** Our certificate and key, PEM, when the broker asks for one. */
  readonly certFile?: string;
  readonly keyFile?: string;
};

export type SaslLogin = {
  readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
  readonly username: string;
  readonly passwordFile: string;
};

export type MessagingConfig = {
  /** `host:port`, at least one. */
  readonly brokers: readonly string[];
  /** How we are called in the broker's logs and quotas: the service's name. */
  readonly clientId: string;
  readonly tls?: TlsFiles;
  readonly sasl?: SaslLogin;
  /** Deadline of one request and of one connection attempt. Defaults 5,000 and 2,000. */
  readonly requestTimeoutMs?: number;
  readonly connectTimeoutMs?: number;
};

/** The secrets in memory, as kafkajs wants them. */
export type Credentials = {
  readonly ssl?: { readonly ca: string[]; readonly cert?: string; readonly key?: string };
  readonly sasl?: {
    readonly mechanism: SaslLogin["mechanism"];
    readonly username: string;
    readonly password: string;
  };
};

/** Reads the files that `config` names. Throws what the file system throws. */
export function readCredentials({ tls, sasl }: MessagingConfig): Credentials {
  return {
    ...(tls && { ssl: readTls(tls) }),
    ...(sasl && {
      sasl: {
        mechanism: sasl.mechanism,
        username: sasl.username,
        password: readFileSync(sasl.passwordFile, "utf8").trim(),
      },
    }),
  };
}

function readTls({ caFile, certFile, keyFile }: TlsFiles) {
  return {
    ca: [readFileSync(caFile, "utf8")],
    ...(certFile !== undefined && { cert: readFileSync(certFile, "utf8") }),
    ...(keyFile !== undefined && { key: readFileSync(keyFile, "utf8") }),
  };
}
