// An auditor's own witness, as a process: see main.ts.
export { startWitnessService } from "./start.ts";
export type { WitnessService, WitnessServiceConfig } from "./start.ts";
