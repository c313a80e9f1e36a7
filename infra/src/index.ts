// The local stack: a real Kafka, a real PostgreSQL and the services as supervised processes.
export { InfraError, type InfraErrorCode } from "./infra-error.ts";
export { startKafka, type KafkaOptions, type KafkaServer } from "./kafka.ts";
export { startPostgres, type PostgresOptions, type PostgresServer } from "./postgres.ts";
export {
  checkPortsFree,
  freePort,
  spawnService,
  waitForReady,
  type NamedPort,
  type ServiceOptions,
} from "./processes.ts";
export { describeExit, logTail } from "./readiness.ts";
export {
  endLeftover,
  isAlive,
  processStartTime,
  type ProcessIdentity,
} from "./process-identity.ts";
export {
  spawnSupervised,
  type Exit,
  type SupervisedOptions,
  type SupervisedProcess,
} from "./supervised-process.ts";
