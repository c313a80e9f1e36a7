// `node infra/src/pod.ts`: holds the network namespace that the services share, as a pod's first
// container does, and opens its door to them. It is the only container of Sealane with published ports.
import { once } from "node:events";
import { openDoor, outsideAddresses } from "./forward.ts";
import { httpPorts } from "./service-plan.ts";
import { portsFromEnv } from "./world.ts";

const ports = portsFromEnv(process.env);
const doors = outsideAddresses().flatMap((host) =>
  httpPorts.map(({ name }) => ({ host, port: ports[name] })),
);
const servers = await Promise.all(doors.map(openDoor));
const opened = doors.map(({ host, port }) => `${host}:${port}`);
process.stdout.write(`${JSON.stringify({ event: "pod-ready", doors: opened })}\n`);

await Promise.race(["SIGTERM", "SIGINT"].map((signal) => once(process, signal)));
for (const server of servers) server.close();
process.exit(0);
