// The local stack: a real Kafka, a real PostgreSQL and the services as supervised processes.
export { InfraError, type InfraErrorCode } from "./infra-error.ts";
export { newClusterId, startKafka, type KafkaOptions, type KafkaServer } from "./kafka.ts";
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
export { freePorts } from "./free-ports.ts";
export { writeKeyLogFile } from "./key-log-file.ts";
export { sendFirstLiquidity, type FirstLiquidity } from "./liquidity.ts";
export { lanesOf, processesOf, type LanePlan } from "./lanes.ts";
export { homeAt, type Home } from "./home.ts";
export { dayWorld } from "./day-world.ts";
export { migrateAll } from "./prepare.ts";
export { provision } from "./provision.ts";
export {
  planServices,
  type Service,
  type ServiceName,
  type ServicePlanOptions,
} from "./service-plan.ts";
export { startStackBank, writeBankSettings } from "./simulated-bank.ts";
export { startStack, type LaunchChanges, type Stack, type StackOptions } from "./stack.ts";
export {
  buildOmniwitness,
  findOmniwitness,
  startOmniwitness,
  toolFolder,
  type Omniwitness,
} from "./omniwitness.ts";
export {
  demoWorld,
  firstLiquidity,
  portPlan,
  portsFromEnv,
  withLanes,
  wallets,
  type PortName,
  type Ports,
  type World,
} from "./world.ts";
