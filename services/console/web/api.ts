// What the pages ask the server for. A refusal keeps what the server said of it.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import type {
  EntryDetail,
  EntryPage,
  LogAnswer,
  Overview,
  PositionsAnswer,
  Sample,
  Session,
  TransferAnswer,
} from "../src/api-types.ts";

export class ApiFault extends Error {
  readonly status: number;
  readonly detail: string;
  readonly action: string;

  constructor(status: number, title: string, detail = "", action = "") {
    super(title);
    this.status = status;
    this.detail = detail;
    this.action = action;
  }
}

type ProblemBody = { readonly title?: string; readonly detail?: string; readonly action?: string };

export const ask = async <T>(path: string, init: RequestInit = {}): Promise<T> => {
  let response: Response;
  try {
    response = await fetch(path, { ...init, signal: init.signal ?? AbortSignal.timeout(15_000) });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    const action = "It is asked again by itself.";
    throw new ApiFault(0, "The console's own server does not answer", "", action);
  }
  if (response.status === 204) return undefined as T;
  if (response.ok) return (await response.json()) as T;
  const body = (await response.json().catch(() => ({}))) as ProblemBody;
  const title = body.title ?? `HTTP ${response.status}`;
  throw new ApiFault(response.status, title, body.detail, body.action);
};

export const useSession = () =>
  useQuery({
    queryKey: ["session"],
    queryFn: ({ signal }) => ask<Session>("/api/session", { signal }),
  });

/** Kept fresh by the stream (`live.tsx`); asked for only until that has begun. */
export const useOverview = () =>
  useQuery({
    queryKey: ["overview"],
    queryFn: ({ signal }) => ask<Overview>("/api/overview", { signal }),
    staleTime: Infinity,
  });

export const useHistory = () =>
  useQuery({
    queryKey: ["history"],
    queryFn: ({ signal }) => ask<Sample[]>("/api/history", { signal }),
    staleTime: Infinity,
  });

export const usePositions = () =>
  useQuery({
    queryKey: ["positions"],
    queryFn: ({ signal }) => ask<PositionsAnswer>("/api/positions", { signal }),
    refetchInterval: 2_000,
  });

export const useLog = () =>
  useQuery({
    queryKey: ["log"],
    queryFn: ({ signal }) => ask<LogAnswer>("/api/log", { signal }),
    refetchInterval: 5_000,
  });

export const useTransfer = (id: string) =>
  useQuery({
    queryKey: ["transfer", id],
    queryFn: ({ signal }) => ask<TransferAnswer>(`/api/transfers/${id}`, { signal }),
    refetchInterval: ({ state: { data } }) => (isDone(data) ? false : 1_500),
  });

export const useEntry = (seq: string) =>
  useQuery({
    queryKey: ["entry", seq],
    queryFn: ({ signal }) => ask<EntryDetail>(`/api/entries/${seq}`, { signal }),
    refetchInterval: ({ state: { data } }) => (data?.sealed === true ? false : 1_500),
  });

/** Nothing about it will change any more. */
const isDone = (answer: TransferAnswer | undefined): boolean =>
  answer?.found === "entry" && answer.entry.steps.every(({ state }) => state !== "waiting");

export type EntryFilter = {
  readonly text: string;
  readonly outcome: string;
  readonly kinds: "transfers" | "all";
};

export const useEntries = (filter: EntryFilter) =>
  useInfiniteQuery({
    queryKey: ["entries", filter],
    queryFn: ({ pageParam, signal }) => {
      const query = new URLSearchParams({ kinds: filter.kinds });
      if (filter.text !== "") query.set("text", filter.text);
      if (filter.outcome !== "") query.set("outcome", filter.outcome);
      if (pageParam !== undefined) query.set("before", String(pageParam));
      return ask<EntryPage>(`/api/entries?${query.toString()}`, { signal });
    },
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (page) => page.older,
  });
