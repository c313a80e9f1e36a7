import type { BenchWorld } from "./world.ts";
export const askOracles = async (_world: BenchWorld): Promise<string[]> => Promise.resolve([]);
