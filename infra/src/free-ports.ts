// Ports for a stack beside others: all free at this moment, none twice.
import { freePort } from "./ports.ts";
import { dayPortPlan, lanePortPlan, portPlan, type PortName, type Ports } from "./world.ts";

export const freePorts = async (): Promise<Ports> => {
  const ports = {} as Record<PortName, number>;
  const taken = new Set<number>();
  for (const { name } of [...portPlan, ...dayPortPlan, ...lanePortPlan]) {
    let port = await freePort();
    while (taken.has(port)) port = await freePort();
    taken.add(port);
    ports[name] = port;
  }
  return ports;
};
