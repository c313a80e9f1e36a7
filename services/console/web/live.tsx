// The stream from the server, as state: one connection for the whole page. Events go into the query cache,
// so that a view need not know whether what it shows was asked for or was told.
import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { createContext, useContext, useEffect, useState, type ReactNode } from "react";
import type { EntryRow, Overview, Sample } from "../src/api-types.ts";
import { useOverview } from "./api.ts";

export type Connection = "connecting" | "live" | "lost";
type Live = {
  readonly connection: Connection;
  /** The server's clock, moved on in this browser: what "ago" is counted from. */
  readonly nowMs: number;
  /** The newest entries about transfers that arrived while this page is open, newest first. */
  readonly rows: readonly EntryRow[];
};

const LiveContext = createContext<Live>({ connection: "connecting", nowMs: 0, rows: [] });
export const useLive = (): Live => useContext(LiveContext);

const mostRows = 200;
const mostSamples = 900;
const retryMs = 2_000;
/** The server speaks each second. */
const silentMs = 6_000;

const addSample = (client: QueryClient, sample: Sample | undefined): void => {
  if (sample === undefined) return;
  client.setQueryData<Sample[]>(["history"], (samples) => {
    if (samples === undefined || (samples.at(-1)?.atS ?? 0) >= sample.atS) return samples;
    return [...samples, sample].slice(-mostSamples);
  });
};

const merge = (rows: readonly EntryRow[], more: readonly EntryRow[]): readonly EntryRow[] => {
  const newest = rows[0]?.seq ?? -1;
  return [...more.filter(({ seq }) => seq > newest), ...rows].slice(0, mostRows);
};

const useStream = (client: QueryClient) => {
  const [connection, setConnection] = useState<Connection>("connecting");
  const [rows, setRows] = useState<readonly EntryRow[]>([]);
  const [skewMs, setSkewMs] = useState(0);

  useEffect(() => {
    let source: EventSource | undefined;
    let retry: number | undefined;
    let heardMs = Date.now();

    const open = (): void => {
      source?.close();
      heardMs = Date.now();
      source = new EventSource("/api/stream");
      source.addEventListener("overview", ({ data }: MessageEvent<string>) => {
        heardMs = Date.now();
        const overview = JSON.parse(data) as Overview;
        client.setQueryData(["overview"], overview);
        addSample(client, overview.latest);
        setSkewMs(overview.nowMs - heardMs);
        setConnection("live");
      });
      source.addEventListener("entries", ({ data }: MessageEvent<string>) => {
        const more = JSON.parse(data) as EntryRow[];
        setRows((known) => merge(known, more));
      });
      source.addEventListener("error", () => lose());
    };
    const lose = (): void => {
      setConnection("lost");
      // A stream that was refused may mean that the session has ended.
      void client.invalidateQueries({ queryKey: ["session"] });
      source?.close();
      clearTimeout(retry);
      retry = setTimeout(open, retryMs);
    };
    open();
    const watch = setInterval(() => {
      if (Date.now() - heardMs > silentMs) lose();
    }, 1_000);
    return () => {
      source?.close();
      clearTimeout(retry);
      clearInterval(watch);
    };
  }, [client]);

  // What was missed while the stream was gone is asked for again.
  useEffect(() => {
    if (connection === "live") void client.invalidateQueries({ queryKey: ["history"] });
  }, [client, connection]);
  return { connection, rows, skewMs };
};

export const LiveProvider = ({ children }: { readonly children: ReactNode }) => {
  const client = useQueryClient();
  const { connection, rows, skewMs } = useStream(client);
  const [clock, setClock] = useState(Date.now);
  useEffect(() => {
    const tick = setInterval(() => setClock(Date.now()), 1_000);
    return () => clearInterval(tick);
  }, []);
  const overview = useOverview().data;
  const nowMs = Math.max(clock + skewMs, overview?.nowMs ?? 0);
  return <LiveContext value={{ connection, nowMs, rows }}>{children}</LiveContext>;
};
