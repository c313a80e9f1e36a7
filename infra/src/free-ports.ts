// Ports for a stack beside others: all free at this moment, none twice.
import { freePort } from "./ports.ts";
import { dayPortPlan, lanePortPlan, portPlan, type PortName, type Ports } from "./world.ts";

export const freePorts = async (): Promise<Ports> => {
  const ports = {} as Record<PortName, number>;
  for (const { name } of [...portPlan, ...dayPortPlan, ...lanePortPlan]) {
    ports[name] = await freePort();
  }
  return ports;
};
