// What the process itself costs: CPU, memory, what keeps its event loop (timers, sockets, requests under
// way: what grows there leaks), and how late that loop runs.
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import type { Meter } from "@opentelemetry/api";

const NANOS_PER_MS = 1_000_000;

/** Registers the process's metrics; the result stops the measuring. */
export function measureProcess(meter: Meter): () => void {
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  const help = (description: string) => ({ description });
  meter
    .createObservableCounter("process_cpu_seconds_total", help("User and system CPU time"))
    .addCallback((result) => {
      const { user, system } = process.cpuUsage();
      result.observe((user + system) / 1_000_000);
    });
  meter
    .createObservableGauge("process_resident_memory_bytes", help("Resident set size"))
    .addCallback((result) => result.observe(process.memoryUsage.rss()));
  meter
    .createObservableGauge("nodejs_heap_used_bytes", help("Used heap"))
    .addCallback((result) => result.observe(process.memoryUsage().heapUsed));
  meter
    .createObservableGauge("nodejs_active_resources", help("What keeps the event loop, by type"))
    .addCallback((result) => {
      const types = Map.groupBy(process.getActiveResourcesInfo(), (type) => type);
      for (const [type, all] of types) result.observe(all.length, { type });
    });
  meter
    .createObservableGauge("nodejs_eventloop_lag_p99_ms", help("p99 lag since the last scrape"))
    .addCallback((result) => {
      result.observe(delay.count === 0 ? 0 : delay.percentile(99) / NANOS_PER_MS);
      delay.reset();
    });
  let last = performance.eventLoopUtilization();
  meter
    .createObservableGauge("nodejs_eventloop_utilization", help("Busy share since the last scrape"))
    .addCallback((result) => {
      const now = performance.eventLoopUtilization();
      result.observe(performance.eventLoopUtilization(now, last).utilization);
      last = now;
    });
  return () => delay.disable();
}
