// A broker that asks who somebody is: SCRAM logins, TLS on a second listener, an authorizer that denies
// what no rule allows. Settings for `startKafka`; a broker in production takes the same ones, with its own
// secrets. Nobody is let in without a login, not even at the controller's door.
import type { KafkaSecurity } from "./kafka.ts";

export type Login = { readonly name: string; readonly password: string };

export type SecurityOptions = {
  readonly port: number;
  /** Where TLS is spoken. */
  readonly tlsPort: number;
  readonly controllerPort: number;
  /** May do everything; also what the broker calls itself by. */
  readonly admin: Login;
  readonly users: readonly Login[];
  /** The broker's key and certificate, PEM, in one file. */
  readonly keystoreFile: string;
};

const plainWord = /^[A-Za-z0-9._-]+$/;

/** Words that need no escaping in a login module's line. */
const checked = ({ name, password }: Login): Login => {
  if (plainWord.test(name) && plainWord.test(password)) return { name, password };
  throw new Error(`a login of this broker has letters, digits, dots, dashes only: ${name}`);
};

const module = (kind: "scram.Scram" | "plain.Plain", options: string): string =>
  `org.apache.kafka.common.security.${kind}LoginModule required${options};`;

export const kafkaSecurity = (options: SecurityOptions): KafkaSecurity => {
  const { port, tlsPort, controllerPort, keystoreFile } = options;
  const admin = checked(options.admin);
  const own = ` username="${admin.name}" password="${admin.password}"`;
  const at = (name: string, where: number): string => `${name}://127.0.0.1:${where}`;
  return {
    properties: {
      listeners: [at("CLIENT", port), at("TLS", tlsPort), at("CONTROLLER", controllerPort)].join(),
      "advertised.listeners": [at("CLIENT", port), at("TLS", tlsPort)].join(),
      "listener.security.protocol.map":
        "CLIENT:SASL_PLAINTEXT,TLS:SASL_SSL,CONTROLLER:SASL_PLAINTEXT",
      "inter.broker.listener.name": "CLIENT",
      "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
      "listener.name.client.sasl.enabled.mechanisms": "SCRAM-SHA-512",
      "listener.name.client.scram-sha-512.sasl.jaas.config": module("scram.Scram", own),
      "listener.name.tls.sasl.enabled.mechanisms": "SCRAM-SHA-512",
      "listener.name.tls.scram-sha-512.sasl.jaas.config": module("scram.Scram", ""),
      "listener.name.tls.ssl.keystore.type": "PEM",
      "listener.name.tls.ssl.keystore.location": keystoreFile,
      // SCRAM's passwords are in the controller's own log: its door knows one login by itself.
      "sasl.mechanism.controller.protocol": "PLAIN",
      "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
      "listener.name.controller.plain.sasl.jaas.config": module(
        "plain.Plain",
        `${own} user_${admin.name}="${admin.password}"`,
      ),
      "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
      "allow.everyone.if.no.acl.found": false,
      "super.users": `User:${admin.name}`,
    },
    formatArgs: [admin, ...options.users.map(checked)].flatMap(({ name, password }) => [
      "--add-scram",
      `SCRAM-SHA-512=[name=${name},password=${password}]`,
    ]),
  };
};
