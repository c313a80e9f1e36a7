// Every case by name, in the order in which they run: worlds of one kind together, spoilers last.
import { clusterCases } from "./cases/clusters.ts";
import { crashCases } from "./cases/crashes.ts";
import { historyCases } from "./cases/histories.ts";
import { fullBrokerCase, machineCases } from "./cases/machines.ts";
import { messageCases } from "./cases/messages.ts";
import { moneyCases } from "./cases/money.ts";
import { networkCases } from "./cases/network.ts";
import { producerCases } from "./cases/producers.ts";
import { writerCases } from "./cases/writers.ts";
import type { FaultCase } from "./stage.ts";

export const allCases: readonly FaultCase[] = [
  ...crashCases,
  ...writerCases,
  ...networkCases,
  ...messageCases,
  ...machineCases,
  ...producerCases,
  ...moneyCases,
  ...historyCases,
  ...clusterCases,
  fullBrokerCase,
];
