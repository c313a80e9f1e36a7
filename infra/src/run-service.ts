// `node infra/src/run-service.ts NAME`: one service in this process, with the settings that `npm start`
// gives it. For containers: keys, topics and tables are there already (`setup.ts`). What the container's
// own environment says besides, such as the collector's address, stays.
import { pathToFileURL } from "node:url";
import { readContainerSettings } from "./container-settings.ts";
import { InfraError } from "./infra-error.ts";
import { homeAt } from "./home.ts";
import { planServices } from "./service-plan.ts";
import { portsFromEnv } from "./world.ts";

const { home, ...settings } = readContainerSettings(process.env);
const services = planServices({
  ...settings,
  home: homeAt(home),
  ports: portsFromEnv(process.env),
  openBundles: false,
});
const name = process.argv[2] ?? "";
const service = services.find((candidate) => candidate.name === name);
if (service === undefined) {
  const names = services.map((candidate) => candidate.name).join(", ");
  throw new InfraError("settings-missing", `no service is named "${name}": choose one of ${names}`);
}
Object.assign(process.env, service.env);
await import(pathToFileURL(service.entry).href);
